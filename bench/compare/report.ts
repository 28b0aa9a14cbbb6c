/** Medians, ratios and the printed table of a comparison. */

import { cpus, release, totalmem } from 'node:os';
import type { Measurement } from './measure.ts';

/** All rounds of one workload on one store; empty where the store cannot do it. */
export interface Series {
  workload: string;
  store: string;
  rounds: Measurement[];
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** One line that says what was measured on. */
export function describeMachine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / (1 << 30));
  return `${processors.length} x ${model}, ${memory} GiB, ${process.platform} ${release()}, Node ${process.version}`;
}

/** Medians of a series. */
export function summarize(series: Series): {
  wallMicros: number;
  cpuMicros: number;
  loopDelayP99Ms: number;
  spread: number;
} {
  const wall = series.rounds.map((round) => (1000 * round.wallMs) / round.operations);
  return {
    wallMicros: median(wall),
    cpuMicros: median(series.rounds.map((round) => (1000 * round.cpuMs) / round.operations)),
    loopDelayP99Ms: median(series.rounds.map((round) => round.loopDelayP99Ms)),
    spread: (Math.max(...wall) - Math.min(...wall)) / median(wall),
  };
}

/** The table: a line a workload and store, and how many times faster the first store is. */
export function formatTable(all: readonly Series[], entryBytes: number): string {
  const lines = [
    `${'workload'.padEnd(30)}${'store'.padEnd(15)}${'us/op'.padStart(9)}${'cpu us'.padStart(9)}${'op/s'.padStart(11)}${'MB/s'.padStart(8)}${'loop p99'.padStart(10)}${'spread'.padStart(8)}${'ratio'.padStart(8)}`,
  ];
  for (const workload of new Set(all.map((series) => series.workload))) {
    const stores = all.filter((series) => series.workload === workload && series.rounds.length > 0);
    const first = stores[0] === undefined ? undefined : summarize(stores[0]);
    for (const series of stores) {
      const own = summarize(series);
      const ratio =
        series === stores[0] || first === undefined ? '' : `x${(own.wallMicros / first.wallMicros).toFixed(1)}`;
      lines.push(
        [
          workload.padEnd(30),
          series.store.padEnd(15),
          own.wallMicros.toFixed(2).padStart(9),
          own.cpuMicros.toFixed(2).padStart(9),
          Math.round(1e6 / own.wallMicros)
            .toString()
            .padStart(11),
          (entryBytes / own.wallMicros).toFixed(1).padStart(8),
          `${own.loopDelayP99Ms.toFixed(1)} ms`.padStart(10),
          `${Math.round(100 * own.spread)} %`.padStart(8),
          ratio.padStart(8),
        ].join(''),
      );
    }
  }
  lines.push('ratio: how many times as long this store takes as the first one; medians of the rounds');
  return lines.join('\n');
}
