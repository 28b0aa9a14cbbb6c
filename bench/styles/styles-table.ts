/** The costs of the styles as a table for people. */
import type { StyleCost } from './measure-style.ts';

const MIB = 1024 * 1024;

/** One line a style, in Markdown. */
export function stylesTable(costs: readonly StyleCost[]): string {
  const lines = costs.map(({ style, writeAmplification, spaceAmplification, peakBytes, liveBytes }) => {
    const cells = [
      writeAmplification.toFixed(2).padStart(19),
      spaceAmplification.toFixed(2).padStart(27),
      (peakBytes / MIB).toFixed(1).padStart(8),
      (liveBytes / MIB).toFixed(1).padStart(8),
    ];
    return `| ${style.padEnd(9)} | ${cells.join(' | ')} |`;
  });
  return [
    '| style     | write amplification | space amplification at peak | peak MiB | rows MiB |',
    '| --------- | ------------------: | --------------------------: | -------: | -------: |',
    ...lines,
  ].join('\n');
}
