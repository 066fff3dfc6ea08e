import { parse } from 'yaml';
import { renderEnvoy } from '../../../extproc/envoy/render.ts';
import { connectionPlan, envoyPlan } from '../../builders/envoy-plan.ts';
import { configOf, type Part, type Parts } from './parts.ts';

/** The release listener of a rendered configuration, by what its parts are. */
export type ReleaseParts = { listener: Part; manager: Part; filters: Part[]; route: Part; processor: Part; lock: Part };

export const releaseSocket = 'release.sock';

/** Puts the release listener beside that of callers, changed by `change`. */
export function withRelease({ root }: Parts, change: (release: ReleaseParts) => void = () => {}): void {
  const credential = { file: '/etc/skilltape/sds/claude_credential.yaml', header: 'x-api-key' as const };
  const connections = [connectionPlan('claude', { credential })];
  const release = { socket: `/run/skilltape/${releaseSocket}`, connections };
  const plan = envoyPlan({ connections, release, accessLogFile: '/var/log/skilltape/access.log' });
  const [, listener] = (parse(renderEnvoy(plan)) as { static_resources: { listeners: Part[] } }).static_resources
    .listeners;
  if (listener === undefined) throw new Error('no release listener was rendered');
  const chain = (listener.filter_chains as Part[])[0] as Part;
  const manager = configOf((chain.filters as Part[])[0] as Part);
  const filters = manager.http_filters as Part[];
  const host = ((manager.route_config as Part).virtual_hosts as Part[])[0] as Part;
  const [processorFilter, lock] = filters as [Part, Part];
  const route = (host.routes as Part[])[0] as Part;
  change({ listener, manager, filters, route, processor: configOf(processorFilter), lock });
  ((root.static_resources as Part).listeners as Part[]).push(listener);
}
