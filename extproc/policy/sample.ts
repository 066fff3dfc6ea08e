/** Makes a document that a JSON Schema describes. */
import type { z } from 'zod';

export type SchemaNode = z.core.JSONSchema.BaseSchema;

export type SampleOptions = {
  /** Which value of each enumeration, counted from 0 and again from the start. */
  turn: number;
  /** Null and empty wherever that may be. */
  isEmpty: boolean;
  /** Values by dotted path that are taken as they are; undefined: none. */
  usual: Readonly<Record<string, unknown>> | undefined;
};

/** What a text without a rule of its own holds. */
export const plainText = 'x';

export function sample(node: SchemaNode, options: SampleOptions, path = ''): unknown {
  const { turn, isEmpty, usual: values } = options;
  const fixed = values?.[path];
  if (fixed !== undefined) return fixed;
  if (node.const !== undefined) return node.const;
  if (node.enum !== undefined) return node.enum[turn % node.enum.length];
  if (node.anyOf !== undefined) {
    const [first = {}] = node.anyOf as SchemaNode[];
    return isEmpty ? null : sample(first, options, path);
  }
  switch (node.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries((node.properties ?? {}) as Record<string, SchemaNode>).map(([name, inner]) => {
          return [name, sample(inner, options, path === '' ? name : `${path}.${name}`)];
        }),
      );
    case 'array':
      return isEmpty ? [] : [sample(node.items as SchemaNode, options, `${path}[]`)];
    case 'string':
      return isEmpty ? '' : plainText;
    case 'boolean':
      return turn % 2 === 1;
    case 'number':
    case 'integer':
      return isEmpty ? 0 : 1;
    default:
      return null;
  }
}

/** How many turns until each enumeration gave each of its values. */
export function longestEnum(node: SchemaNode): number {
  const inner = [...Object.values(node.properties ?? {}), ...(node.anyOf ?? []), node.items].filter(isNode);
  return Math.max(1, node.enum?.length ?? 0, ...inner.map(longestEnum));
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
