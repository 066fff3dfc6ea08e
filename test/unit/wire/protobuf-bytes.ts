/** Protobuf written by hand, for messages that no encoder would make. */

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A field with a length: bytes, text or a message. */
export function field(number: number, ...content: readonly (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A field with a number. */
export function numberField(number: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/**
 * Fields in one another, the innermost empty; in time that is linear. `path` is one level from inside to outside: numbers
 * of fields, and bytes that stand before what is there yet.
 */
export function nested(
  depth: number,
  path: readonly (number | Buffer)[],
  outermost: readonly (number | Buffer)[],
): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  const add = (step: number | Buffer) => {
    const piece = typeof step === 'number' ? Buffer.concat([varint(step * 8 + 2), varint(length)]) : step;
    pieces.push(piece);
    length += piece.length;
  };
  for (let level = 0; level < depth; level += 1) path.forEach(add);
  outermost.forEach(add);
  return Buffer.concat(pieces.reverse());
}
