/** The package's entry `pumice/testing`: checks for components that users write. */
export type { RegisterTest } from './expectation.ts';
export { type MemTableConformanceOptions, memTableConformance } from './memtable-conformance.ts';
export { checkMergeLaws, type MergeLawsOptions } from './merge-laws.ts';
