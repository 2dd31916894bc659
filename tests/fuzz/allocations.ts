/**
 * Holding a decoder to memory in proportion to its input, whatever the lengths in the input say.
 *
 * @module
 */

/** Bytes that one array may have whatever the input is. */
const FREE = 2 * 1024 * 1024;
/** Bytes of one array for each byte of the input. */
const TIMES = 64;

/** Runs work, and fails it when it asks for an array that is out of proportion to an input of so many bytes. */
export async function withBoundedArrays<T>(inputSize: number, work: () => T | Promise<T>): Promise<T> {
  const real = globalThis.Uint8Array;
  const most = FREE + TIMES * inputSize;
  globalThis.Uint8Array = new Proxy(real, {
    construct(type, args, newTarget) {
      const [size] = args;
      if (typeof size === "number" && size > most) {
        throw new ExcessiveAllocation(`An array of ${size} bytes for an input of ${inputSize}`);
      }
      return Reflect.construct(type, args, newTarget);
    },
  });
  try {
    return await work();
  } finally {
    globalThis.Uint8Array = real;
  }
}

/** Thrown in the place of an allocation; no decoder declares it. */
export class ExcessiveAllocation extends Error {
  override name = "ExcessiveAllocation";
}
