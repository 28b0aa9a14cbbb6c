/** `pumice/level`: Pumice for the Level ecosystem. Needs the package `abstract-level`, which the rest of Pumice does not. */
export { LevelError } from './level-error.ts';
export type { LevelWriteOptions } from './level-format.ts';
export {
  type LevelEngineOptions,
  PumiceLevel,
  type PumiceLevelOptions,
} from './pumice-level.ts';
