/**
 * A sorted run that lives in JavaScript, behind a host cursor, and ends every few entries like a block, so that a merge
 * has to ask for a refill. What it showed before is overwritten at each move, as a block that was evicted would be.
 */
import type { CursorSource } from '../../../../format/base/cursor-source.ts';
import type { Comparator } from '../../../../format/base/comparator.ts';
import { compareInternalKeys } from '../../../../format/base/internal-key.ts';
import { type Io, io } from '../../../../format/base/io.ts';
import { CURSOR_HEAD_SIZE, CursorField, CursorKind } from '../../../../format/kernel/abi/merge.ts';
import type { Kernel } from '../../../../format/kernel/kernel.ts';
import type { Entry } from './sorted-entries.ts';

const BUFFER_SIZE = 1024;

/** How a run behaves besides its entries. */
export interface HostRunBehaviour {
  /** Entries between two refills; 0 for none. */
  readonly blockEntries: number;
  /** Every how many refills `tryRefill` asks for a load first; 0 for never. */
  readonly loadEvery: number;
}

/** A run over sorted entries. */
export class HostRun implements CursorSource {
  readonly cursor: number;
  readonly refillable: boolean;
  loads = 0;
  corruptAt = -1;
  readonly #kernel: Kernel;
  readonly #comparator: Comparator;
  readonly #entries: readonly Entry[];
  readonly #behaviour: HostRunBehaviour;
  readonly #buffer: number;
  #index = 0;
  #refills = 0;
  #loaded = false;

  constructor(kernel: Kernel, comparator: Comparator, entries: readonly Entry[], behaviour: HostRunBehaviour) {
    this.#kernel = kernel;
    this.#comparator = comparator;
    this.#entries = entries;
    this.#behaviour = behaviour;
    this.refillable = behaviour.blockEntries > 0;
    this.cursor = kernel.malloc(CURSOR_HEAD_SIZE);
    this.#buffer = kernel.malloc(BUFFER_SIZE);
    kernel.u8.fill(0, this.cursor, this.cursor + CURSOR_HEAD_SIZE);
    this.#set(CursorField.kind, CursorKind.host);
    kernel.registerCursorHost(this.cursor, (_cursor, operation, key, size) => this.#move(operation, key, size));
  }

  #set(field: number, value: number): void {
    this.#kernel.u32[(this.cursor + field) >>> 2] = value;
  }

  #show(): void {
    const entry = this.#entries[this.#index];
    this.#kernel.u8.fill(0xee, this.#buffer, this.#buffer + BUFFER_SIZE);
    const corrupt = entry !== undefined && this.#index === this.corruptAt;
    this.#set(CursorField.valid, entry === undefined || corrupt ? 0 : 1);
    this.#set(CursorField.error, corrupt ? 1 : 0);
    if (entry === undefined || corrupt) return;
    this.#kernel.copyIn(entry.key, this.#buffer);
    this.#kernel.copyIn(entry.value, this.#buffer + entry.key.length);
    this.#set(CursorField.key, this.#buffer);
    this.#set(CursorField.keySize, entry.key.length);
    this.#set(CursorField.value, this.#buffer + entry.key.length);
    this.#set(CursorField.valueSize, entry.value.length);
  }

  #move(operation: number, key: number, size: number): void {
    if (operation < 4) {
      this.#place(operation, key, size);
      return;
    }
    const { blockEntries } = this.#behaviour;
    const before = this.#index;
    this.#index += operation === 4 ? 1 : -1;
    const crossed = blockEntries > 0 && Math.floor(before / blockEntries) !== Math.floor(this.#index / blockEntries);
    if (crossed) this.#set(CursorField.valid, 0);
    else this.#show();
  }

  #place(operation: number, key: number, size: number): void {
    const target = this.#kernel.bytes(key, size).slice();
    const count = this.#entries.length;
    const order = (entry: Entry): number => compareInternalKeys(this.#comparator, entry.key, target);
    const atLeast = this.#entries.findIndex((entry) => order(entry) >= 0);
    const above = this.#entries.findIndex((entry) => order(entry) > 0);
    if (operation === 0) this.#index = 0;
    else if (operation === 1) this.#index = count - 1;
    else if (operation === 2) this.#index = atLeast < 0 ? count : atLeast;
    else this.#index = (above < 0 ? count : above) - 1;
    this.#show();
  }

  *#placing(operation: number, key: number, size: number): Io<void> {
    if (this.#behaviour.loadEvery > 0) yield* this.load();
    this.#place(operation, key, size);
  }

  seekToFirst(): Io<void> {
    return this.#placing(0, 0, 0);
  }

  seekToLast(): Io<void> {
    return this.#placing(1, 0, 0);
  }

  seek(target: number, targetSize: number): Io<void> {
    return this.#placing(2, target, targetSize);
  }

  seekForPrev(target: number, targetSize: number): Io<void> {
    return this.#placing(3, target, targetSize);
  }

  tryRefill(): number {
    const { loadEvery } = this.#behaviour;
    if (this.#kernel.u32[(this.cursor + CursorField.error) >>> 2] !== 0)
      throw new Error('the run of the test is corrupt');
    if (loadEvery > 0 && !this.#loaded && this.#refills % loadEvery === 0) return -1;
    this.#loaded = false;
    this.#refills++;
    this.#show();
    return this.#entries[this.#index] === undefined ? 0 : 1;
  }

  *load(): Io<void> {
    const carryOut = (): void => {
      this.loads++;
      this.#loaded = true;
    };
    yield* io(carryOut, async () => carryOut());
  }

  close(): void {
    this.#kernel.unregisterCursorHost(this.cursor);
    this.#kernel.free(this.cursor);
    this.#kernel.free(this.#buffer);
  }
}
