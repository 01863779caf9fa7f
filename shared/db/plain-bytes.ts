/** A bytea value as a plain array: the equality and the JSON of a Buffer differ from those that ports speak of. */
export function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
