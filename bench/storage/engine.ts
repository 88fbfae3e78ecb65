/** What a storage engine must be able to do to take part in the benchmark. */

export interface EngineOptions {
  readonly directory: string;
  /** What its caches and buffers may hold together, in bytes. */
  readonly memoryBytes: number;
  readonly compression: boolean;
}

export interface Batch {
  readonly keys: readonly Uint8Array[];
  readonly values: readonly Uint8Array[];
}

export interface StorageEngine {
  /** All or nothing. Resolves when it can be read and, with `sync`, when it is durable. */
  write(batch: Batch, sync: boolean): Promise<void>;
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * Reads up to `limit` entries from `from` on (reverse: from before it), or from the end, and says
   * how many there were. Both key and value of each must have been brought into JavaScript.
   */
  scan(from: Uint8Array | undefined, limit: number, reverse: boolean): Promise<number> | number;
  /** Writes out and compacts all there is, as far as the engine ever would. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export type OpenEngine = (options: EngineOptions) => Promise<StorageEngine>;
