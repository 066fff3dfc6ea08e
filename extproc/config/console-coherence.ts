import type { Fault } from './fault.ts';
import { isSection, valueAt } from './section.ts';

/** What the section `console` must have of the others. */
export function checkConsole(data: unknown): Fault[] {
  if (!isSection(valueAt(data, 'console'))) return [];
  return [...checkProvider(data), ...checkAudiences(data)];
}

function checkProvider(data: unknown): Fault[] {
  const name = valueAt(data, 'console.identityProvider');
  const providers = valueAt(data, 'identityProviders');
  // What is no name or no section is another fault.
  if (typeof name !== 'string' || !isSection(providers)) return [];
  const provider: unknown = Object.hasOwn(providers, name) ? Reflect.get(providers, name) : undefined;
  if (!isSection(provider)) {
    return [
      {
        key: 'console.identityProvider',
        message: `names ${JSON.stringify(name.slice(0, 80))}, which identityProviders does not have`,
        remedy: 'add it there or correct the name',
      },
    ];
  }
  if (valueAt(provider, 'kind') !== 'workload') return [];
  return [
    {
      key: 'console.identityProvider',
      message: 'names a provider of workloads, but people log in to the console',
      remedy: 'name one of the kind person',
    },
  ];
}

/** A token that a caller's programs hold would decide otherwise. */
function checkAudiences(data: unknown): Fault[] {
  const wanted = valueAt(data, 'console.apiAudiences') ?? ['skilltape-console'];
  const providers = valueAt(data, 'identityProviders');
  if (!Array.isArray(wanted) || !isSection(providers)) return [];
  const ofGateway = Object.values(providers).flatMap((provider) => {
    const audiences = valueAt(provider, 'audiences') ?? ['skilltape'];
    return Array.isArray(audiences) ? audiences : [];
  });
  const shared = wanted.find((audience) => ofGateway.includes(audience));
  if (typeof shared !== 'string') return [];
  return [
    {
      key: 'console.apiAudiences',
      message: `has ${JSON.stringify(shared.slice(0, 80))}, which is an audience of the gateway: a token for requests would decide about requests`,
      remedy: 'give the API an audience of its own',
    },
  ];
}
