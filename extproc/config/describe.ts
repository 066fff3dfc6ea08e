import { z } from 'zod';
import { configSchema } from './schema.ts';

/**
 * One key as the documentation shows it.
 * @property key dotted; `<name>` stands for a name the operator chooses
 * @property default as written in YAML, or in words where it depends on another key; null: the key is required
 * @property unit null where the value is no quantity
 */
export type KeyDescription = {
  key: string;
  type: string;
  default: string | null;
  unit: string | null;
  doc: string;
};

/** What `z.toJSONSchema` gives for our schema: only the fields read here, all checked when read. */
const nodeSchema = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
  unit: z.string().optional(),
  derived: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.unknown().optional(),
});

type SchemaNode = z.output<typeof nodeSchema>;

/** Every key of `skilltape.yaml` that takes a value, in the order of the schema. */
export function describeConfig(): readonly KeyDescription[] {
  return described;
}

function* keysOf(node: SchemaNode, key: string, required: boolean): Generator<KeyDescription> {
  const prefix = key === '' ? '' : `${key}.`;
  if (node.properties !== undefined) {
    for (const [name, child] of Object.entries(node.properties)) {
      yield* keysOf(nodeSchema.parse(child), `${prefix}${name}`, node.required?.includes(name) ?? false);
    }
    return;
  }
  if (node.type === 'object' && !isFree(node)) {
    yield* keysOf(nodeSchema.parse(node.additionalProperties), `${prefix}<name>`, required);
    return;
  }
  yield {
    key,
    type: typeOf(node),
    default: defaultOf(node, required),
    unit: node.unit ?? null,
    doc: node.description ?? '',
  };
}

/** A section whose keys are the operator's own and mean nothing to us. */
function isFree({ additionalProperties: any }: SchemaNode): boolean {
  return typeof any === 'object' && any !== null && Object.keys(any).length === 0;
}

function typeOf(node: SchemaNode): string {
  if (node.type === 'object') return 'section';
  if (node.type === 'array') return 'list of strings';
  if (node.enum !== undefined) return node.enum.join(', ');
  if (node.type !== 'integer') return node.type ?? 'string';
  return `integer, ${node.minimum} to ${node.maximum}`;
}

function defaultOf(node: SchemaNode, required: boolean): string | null {
  if (node.derived !== undefined) return node.derived;
  if (node.type === 'object') return 'none';
  if (node.default !== undefined) return String(node.default);
  return required ? null : 'none';
}

/** Once: it is asked again for every unknown key of a file. */
const described: readonly KeyDescription[] = [
  ...keysOf(nodeSchema.parse(z.toJSONSchema(configSchema, { io: 'input' })), '', true),
];
