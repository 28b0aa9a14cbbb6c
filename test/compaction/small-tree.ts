/** A small tree of tables in memory: flushes and compactions are applied to it, and it is read back as versions. */
import { sequenceOf, typeOf, userKeyOf } from '../../format/base/internal-key.ts';
import { runAsync, runSync } from '../../format/base/io.ts';
import { clipToFile } from '../../format/iterator/range-tombstones.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import type { Compaction } from '../../compaction/compaction.ts';
import { runCompaction, runFlush } from '../../compaction/compaction-job.ts';
import { type CompactionPickerOptions, defaultCompactionPickerOptions } from '../../compaction/compaction-options.ts';
import type { CompactionResult } from '../../compaction/compaction-result.ts';
import type { JobComponents, JobSettings } from '../../compaction/job-settings.ts';
import { growInputs } from '../../compaction/level-inputs.ts';
import type { PickContext } from '../../compaction/pick-context.ts';
import { planCompaction } from '../../compaction/plan-compaction.ts';
import { RunningCompactions } from '../../compaction/running-compactions.ts';
import { divideCompaction, joinResults } from '../../compaction/subcompactions.ts';
import { type KeySpace, plainKeys } from './key-space.ts';
import { makeMemtable, type TextTombstone, textTombstones, type Version } from './history.ts';
import { componentsWith, MemoryCompactionIo, readTable, settingsWith } from './memory-compaction-io.ts';

const text = new TextDecoder();

/** Levels of tables with the jobs that change them. */
export class SmallTree {
  readonly io: MemoryCompactionIo;
  readonly keys: KeySpace;
  readonly levels: FileMetadata[][] = [[], [], [], []];
  readonly options: CompactionPickerOptions;
  /** Keys at which `compact` divides a plan, ascending; default none. */
  boundariesOf: (plan: Compaction) => readonly string[] = () => [];

  constructor(options: Partial<CompactionPickerOptions> = {}, keys: KeySpace = plainKeys) {
    this.keys = keys;
    this.io = new MemoryCompactionIo(keys);
    this.options = { ...defaultCompactionPickerOptions, compression: 'none', numLevels: 4, ...options };
  }

  get context(): PickContext {
    return {
      familyId: 0,
      familyName: 'default',
      view: { levels: this.levels },
      running: [],
      compactCursors: new Map(),
      nowSeconds: 0,
      releasedSequence: 0,
      settledFiles: new Set(),
    };
  }

  /** Flushes one memtable with these contents into level 0. */
  flush(
    versions: readonly Version[],
    tombstones: readonly TextTombstone[],
    settings: Partial<JobSettings> = {},
    components: Partial<JobComponents> = {},
  ): CompactionResult {
    const memtable = makeMemtable(versions, tombstones, this.keys);
    const plan = { memtables: [memtable], pathId: 0, oldestKeyTime: 0 };
    try {
      const result = runSync(runFlush(this.io, plan, settingsWith(settings), componentsWith(components, this.keys)));
      this.levels[0]!.unshift(...result.outputs);
      return result;
    } finally {
      getKernel().x.memtableFree(memtable);
    }
  }

  /** The plan for all files of a level that go down with `files`. */
  plan(level: number, files: readonly FileMetadata[], outputLevel: number): Compaction {
    const running = new RunningCompactions(this.keys.comparator, []);
    const scope = { view: { levels: this.levels }, comparator: this.keys.comparator, running, options: this.options };
    const inputs = growInputs(scope, level, files, outputLevel)!;
    return planCompaction(
      { kind: 'merge', reason: 'ManualCompaction', inputs, outputLevel, baseLevel: 1, score: 0 },
      this.context,
      this.options,
      this.keys.comparator,
    );
  }

  compact(
    plan: Compaction,
    settings: Partial<JobSettings> = {},
    components: Partial<JobComponents> = {},
  ): CompactionResult {
    const boundaries = this.boundariesOf(plan).map((key) => this.keys.encode(key));
    const results = divideCompaction(plan, boundaries, this.keys.comparator).map((part) =>
      runSync(runCompaction(this.io, part, settingsWith(settings), componentsWith(components, this.keys))),
    );
    const result = boundaries.length === 0 ? results[0]! : joinResults(plan, results);
    this.install(plan, result);
    return result;
  }

  /** Merges neighbouring files of level 0 with each other. */
  compactWithin(files: readonly FileMetadata[], settings: Partial<JobSettings>, components: Partial<JobComponents>) {
    const inputs = [{ level: 0, files }];
    const choice = {
      kind: 'merge',
      reason: 'LevelL0FilesNum',
      inputs,
      outputLevel: 0,
      baseLevel: 1,
      score: 1,
    } as const;
    const plan = planCompaction(choice, this.context, this.options, this.keys.comparator);
    return this.compact(plan, settings, components);
  }

  async compactAsync(plan: Compaction, settings: Partial<JobSettings>, components: Partial<JobComponents>) {
    const job = runCompaction(this.io, plan, settingsWith(settings), componentsWith(components, this.keys));
    this.install(plan, await runAsync(job));
  }

  install(plan: Compaction, result: CompactionResult): void {
    for (const { level, files } of plan.inputs) {
      this.levels[level] = this.levels[level]!.filter((file) => !files.includes(file));
    }
    const level = this.levels[plan.outputLevel]!;
    level.push(...result.outputs);
    if (plan.outputLevel === 0) level.sort((a, b) => b.largestSequence - a.largestSequence);
    else level.sort((a, b) => this.keys.comparator.compare(userKeyOf(a.smallest), userKeyOf(b.smallest)));
  }

  /** All versions in the tree. */
  versions(): Version[] {
    return this.levels.flat().flatMap((file) => this.versionsOf(file));
  }

  versionsOf(file: FileMetadata): Version[] {
    return readTable(this.io, file).map(({ key, value }) => ({
      key: this.keys.decode(userKeyOf(key)),
      sequence: sequenceOf(key),
      type: typeOf(key),
      value: text.decode(value),
    }));
  }

  /** All range tombstones in the tree, clipped as readers do. */
  tombstones(): TextTombstone[] {
    return this.levels.flat().flatMap((file) => this.tombstonesOf(file));
  }

  tombstonesOf(file: FileMetadata): TextTombstone[] {
    const reader = runSync(this.io.openTable(file));
    const clipped = clipToFile(this.keys.comparator, reader.rangeTombstones, file.smallest, file.largest);
    reader.close();
    return textTombstones(clipped, this.keys);
  }
}
