/**
 * The JSON Schemas of the policy documents, generated. `node extproc/policy/schemas.ts` writes them to
 * policies/schemas, where `opa check -s policies/schemas` finds them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Stage } from './bundle.ts';
import { consoleDecision, consoleInput } from './console.ts';
import { recordDecisionFor, verdictDecision } from './decision.ts';
import { detectorsList } from './detectors-list.ts';
import { accessInput, recordInput, requestInput } from './input.ts';
import { listSchemas } from './list-schemas.ts';

const schemas = {
  'access/input.json': accessInput,
  'verdict/decision.json': verdictDecision,
  'request/input.json': requestInput,
  'record/input.json': recordInput,
  'retention/decision.json': recordDecisionFor(null),
  ...Object.fromEntries(Object.entries(listSchemas).map(([name, schema]) => [`${folderOf(name)}/list.json`, schema])),
  'detectors/list.json': detectorsList,
  'console/input.json': consoleInput,
  'looking/decision.json': consoleDecision,
};

/** `opa test` takes the files of one folder for one document, and those of `retention` and `console` are taken. */
function folderOf(list: string): string {
  if (list === 'console') return 'operators';
  return list === 'retention' ? 'retention_list' : list;
}

let made: ReadonlyMap<string, string> | undefined;

/** File text by path inside `policies/schemas`; made once, since every check of policies needs it. */
export function schemaFiles(): ReadonlyMap<string, string> {
  made ??= new Map(
    Object.entries(schemas).map(([path, schema]) => {
      // What a policy writes, before defaults are filled in; OPA reads drafts up to 7.
      const document = z.toJSONSchema(schema, {
        target: 'draft-7',
        io: 'input',
        override: ({ jsonSchema }) => foldNull(jsonSchema),
      });
      return [path, `${JSON.stringify(document, null, 2)}\n`];
    }),
  );
  return made;
}

const enumsByStage = new Map<Stage, ReadonlyMap<string, ReadonlySet<string>>>();

/** The fields of the input of a stage that have one of a few texts, by their path in it (`request.endpoint`). */
export function enumsOf(stage: Stage): ReadonlyMap<string, ReadonlySet<string>> {
  const known = enumsByStage.get(stage);
  if (known !== undefined) return known;
  const found = new Map<string, Set<string>>();
  addEnums(JSON.parse(schemaFiles().get(`${stage}/input.json`) ?? '{}'), [], found);
  enumsByStage.set(stage, found);
  return found;
}

function addEnums(
  schema: z.core.JSONSchema.BaseSchema,
  path: readonly string[],
  found: Map<string, Set<string>>,
): void {
  const values = [schema, ...(schema.anyOf ?? [])].flatMap((each) => each.enum ?? []);
  if (values.length > 0) found.set(path.join('.'), new Set(values.map(String)));
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (typeof inner === 'object') addEnums(inner, [...path, name], found);
  }
}

/** `opa check` looks into an object that may be null only when both types stand in one schema, not in an `anyOf`. */
function foldNull(schema: z.core.JSONSchema.BaseSchema): void {
  const [object, none, ...others] = schema.anyOf ?? [];
  if (object?.type !== 'object' || none?.type !== 'null' || others.length > 0) return;
  delete schema.anyOf;
  Object.assign(schema, object, { type: ['object', 'null'] });
}

/** Writes every schema below a folder. */
export function writeSchemas(directory: string): void {
  for (const [path, content] of schemaFiles()) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

if (import.meta.main) writeSchemas(fileURLToPath(new URL('../../policies/schemas', import.meta.url)));
