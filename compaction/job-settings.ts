/**
 * What a job is told beside its inputs: plain data that travels to a worker (`JobSettings`), and the live components
 * that do not (`JobComponents`), which a worker finds by name or loads.
 */
import type { CompactionFilter } from '../format/base/compaction-filter.ts';
import type { Comparator } from '../format/base/comparator.ts';
import type { MergeOperator } from '../format/base/merge-operator.ts';
import type { SliceTransform } from '../format/base/slice-transform.ts';
import type { TableOptions } from '../format/sst/table-options.ts';

/** Plain data. */
export interface JobSettings {
  readonly familyId: number;
  readonly familyName: string;
  /** The family's, with the filter decided for this job; codec and its options are replaced by the plan's. */
  readonly tableOptions: TableOptions;
  /** Sequences of the live snapshots, ascending, distinct. No snapshot may be taken below the last one while it runs. */
  readonly snapshots: readonly number[];
  /** Unix seconds, when the job was made. */
  readonly nowSeconds: number;
  readonly dbId: string;
  readonly dbSessionId: string;
  readonly dbHostId: string;
  /** Outputs may end at grandparents' boundaries (`level_compaction_dynamic_file_size`). */
  readonly dynamicFileSize: boolean;
  /** Milliseconds of work between two rests. */
  readonly sliceMs: number;
}

/** Live objects. */
export interface JobComponents {
  readonly comparator: Comparator;
  /** The comparator's id in this thread's kernel. */
  readonly comparatorId: number;
  readonly mergeOperator: MergeOperator | undefined;
  readonly compactionFilter: CompactionFilter | undefined;
  readonly prefixExtractor: SliceTransform | undefined;
}
