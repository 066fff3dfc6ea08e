import type { WireStruct, WireValue } from './service.ts';

export type PlainValue = null | boolean | number | string | PlainValue[] | { [key: string]: PlainValue };

/** google.protobuf.Struct to plain data. Claims are the caller's: objects have no prototype, so `__proto__` is a key. */
export function plainObject(struct: WireStruct | undefined): {
  [key: string]: PlainValue;
} {
  const object: { [key: string]: PlainValue } = Object.create(null);
  for (const [key, value] of Object.entries(struct?.fields ?? {})) object[key] = plainValue(value);
  return object;
}

function plainValue(value: WireValue): PlainValue {
  switch (value.kind) {
    case 'stringValue':
      return value.stringValue ?? '';
    case 'numberValue':
      return value.numberValue ?? 0;
    case 'boolValue':
      return value.boolValue ?? false;
    case 'structValue':
      return plainObject(value.structValue);
    case 'listValue':
      return (value.listValue?.values ?? []).map(plainValue);
    default:
      return null;
  }
}

/** A flat object of strings as google.protobuf.Struct, for the access log. */
export function structOfStrings(object: Record<string, string>): WireStruct {
  const fields: Record<string, WireValue> = {};
  for (const [key, value] of Object.entries(object)) fields[key] = { stringValue: value };
  return { fields };
}
