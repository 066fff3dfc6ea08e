/** The list of what is recorded and not enforced: `lists/observe/data.json`. */
import { z } from 'zod';

/**
 * Rules that are enforced whatever a list says: without them a request would pass that nobody can judge (inv. 2), or of
 * nobody known (inv. 5). The same as in `lib/observe/observe.rego`.
 */
export const alwaysEnforced: Readonly<Record<string, string>> = {
  'access/content_type': 'a body of another type could be read by Claude in another way than here',
  'access/endpoint_known': 'what goes over an unknown endpoint cannot be recorded or judged',
  'access/endpoint_secrets': 'endpoints that carry credentials are opened by lists/endpoints alone',
  'access/identity_required': 'without it requests of nobody known would pass',
  'request/body_parsed': 'a body that was not understood was not judged',
};

const rule = z.string().superRefine((name, context) => {
  const why = alwaysEnforced[name];
  if (why !== undefined) context.addIssue(`${name} cannot be observed: ${why}`);
  else if (name.startsWith('skilltape/')) context.addIssue(`${name} is a fault of the policy and cannot be observed`);
  else if (name.startsWith('record/')) context.addIssue(`${name} refuses nothing, so it cannot be observed`);
  else if (!/^(?:access|request)\/\w+$/.test(name)) context.addIssue('must be a rule such as request/model_allowed');
});

export const observeList = z.strictObject({ connections: z.array(z.string().min(1)), rules: z.array(rule) });

/** Of these names of rules the ones that the policy does not have; `paths` are those of its files. */
export function unknownRules(names: readonly string[], paths: Iterable<string>): { at: number; name: string }[] {
  const folders = new Set([...paths].map((path) => path.split('/').slice(0, -1).join('/')));
  return names.flatMap((name, at) => (folders.has(`rules/${name}`) ? [] : [{ at, name }]));
}
