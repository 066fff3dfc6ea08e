/** The lists that name things one by one: `lists/deny`, `lists/models` and `lists/endpoints`. */
import { z } from 'zod';

const texts = z.array(z.string().min(1));

export const denyList = z.strictObject({
  subjects: texts,
  emails: texts,
  groups: texts,
  models: z.strictObject({ names: texts, prefixes: texts }),
  tools: z.strictObject({ names: texts, type_prefixes: texts }),
  skills: z.strictObject({ ids: texts, types: texts }),
  /** An empty text stands for files without an extension. */
  uploads: z.strictObject({ extensions: z.array(z.string()) }),
});

export const modelsList = z.strictObject({ names: texts, prefixes: texts });

/** Whether each names an endpoint is told by `endpoint-list.ts`. */
export const endpointsList = z.strictObject({ allowed: texts, allowed_with_secrets: texts });
