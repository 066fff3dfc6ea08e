import { filtersOf, type HttpFilter, type Route, runsOn } from '../model.ts';
import { metadataOf, type Recorded, receivedNamespaces, releaseKey, releasingOf, written } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';

const rendered = 'the listener `release` as `skilltape envoy render` writes it';
/** As `exchange/envoy-answer.ts` reads it. */
const envoyAnsweredHeader = 'x-skilltape-envoy-answered';
const routeTimeoutMinMs = 600_000;
const idleTimeoutMinMs = 300_000;

/** Traps of the listener by which approved requests are sent on: it has the credential, and no token is asked for. */
export const releaseRules: readonly Rule[] = [
  {
    id: 'release-listener-open',
    severity: 'critical',
    invariants: [1, 5],
    title: 'Others can reach the release listener',
    why: 'It has the credential and asks for no token: only the user that Envoy and skilltape run as may open it.',
    find: (gateway) =>
      releasingOf(gateway).flatMap(({ manager: { listener } }): Fault[] => {
        const addresses = [listener.at('address'), ...listener.at('additional_addresses').items.map(addressIn)];
        return addresses.flatMap((address) => {
          const pipe = address.at('pipe');
          const change = 'address: { pipe: { path: ..., mode: 384 } }';
          if (!pipe.isWritten) return [{ at: address, found: 'it listens on the network', change }];
          if (pipe.at('path').text.startsWith('@')) {
            return [{ at: pipe, found: 'an abstract socket has no permissions', change }];
          }
          const mode = pipe.at('mode').number ?? 0;
          // Without a mode the socket has that of Envoy's umask.
          if (mode !== 0 && (mode & 0o077) === 0) return [];
          return [{ at: pipe, found: `the mode of its socket is ${written(pipe.at('mode'))}`, change }];
        });
      }),
  },
  onReleasing({
    id: 'release-not-asked',
    severity: 'critical',
    invariants: [1, 2],
    title: 'The release listener sends on what skilltape did not release',
    why: 'Each request there must show a pass of skilltape, and only what it said so of may go on: else whoever opens the socket has the credential, and no record is made.',
    find: ({ manager, processor, position }) => {
      const { config } = processor;
      const modes = config.at('processing_mode');
      const header = modes.at('request_header_mode');
      const faults: Fault[] = [];
      const fault = (at: Setting, found: string) => void faults.push({ at, found, change: rendered });
      if (!['', 'SEND', 'DEFAULT'].includes(header.choice(['DEFAULT', 'SEND', 'SKIP']))) {
        fault(header, 'skilltape is not shown the headers');
      }
      if (config.at('failure_mode_allow').isOn) fault(config.at('failure_mode_allow'), 'it goes on without skilltape');
      if (processor.isOff) fault(processor.setting, 'ext_proc is off');
      if (!receivedNamespaces(config).includes('skilltape')) {
        fault(config.at('metadata_options'), 'what skilltape says of a request is not taken');
      }
      const lock = manager.filters.slice(position + 1).find(isReleaseLock);
      const injectors = filtersOf(manager, 'CredentialInjector').map((filter) => manager.filters.indexOf(filter));
      if (lock === undefined) fault(manager.config.at('http_filters'), 'nothing asks for the verdict released');
      else if (injectors.some((at) => at < manager.filters.indexOf(lock))) {
        fault(lock.setting, 'the lock stands behind the credential');
      }
      for (const route of manager.routes) {
        const at = route.setting.at('typed_per_filter_config');
        if (!runsOn(route, processor)) fault(at, `ext_proc is off on the route ${route.label}`);
        if (lock !== undefined && !runsOn(route, lock)) fault(at, `the lock is off on the route ${route.label}`);
      }
      return faults;
    },
  }),
  onReleasing({
    id: 'release-route-not-marked',
    severity: 'critical',
    invariants: [2],
    title: 'A route of the release listener is not known for one',
    why: `Without ${releaseKey} and the name of its connection, skilltape takes a released request for one of a caller and refuses it.`,
    find: ({ manager, processor }) =>
      manager.routes
        .filter(
          (route) => ![releaseKey, 'x-skilltape-connection'].every((key) => metadataOf(route, processor.name).has(key)),
        )
        .map((route) => ({
          at: route.setting,
          found: `the route ${route.label} has no ${releaseKey} or no connection`,
          change: rendered,
        })),
  }),
  onReleasing({
    id: 'release-without-credential',
    severity: 'warning',
    invariants: [],
    title: 'Approved requests go without the credential',
    why: 'Claude refuses them, and the approval is used up.',
    find: ({ manager }) =>
      manager.routes
        .filter((route) => !filtersOf(manager, 'CredentialInjector').some((filter) => runsOn(route, filter)))
        .map((route) => ({
          at: route.setting.at('typed_per_filter_config'),
          found: `no credential_injector runs on the route ${route.label}`,
          change: rendered,
        })),
  }),
  onReleasing({
    id: 'release-timeout-short',
    severity: 'warning',
    invariants: [],
    title: 'Long answers to approved requests are cut',
    why: 'An answer of Claude may stream for minutes, and think for minutes before it begins.',
    find: ({ manager }) => [
      ...idle(manager.config.at('stream_idle_timeout'), 'stream_idle_timeout'),
      ...manager.routes.flatMap((route) => [
        ...whole(route),
        ...idle(route.action.at('idle_timeout'), `idle_timeout of the route ${route.label}`),
      ]),
    ],
  }),
  onReleasing({
    id: 'release-answers-not-told-apart',
    severity: 'warning',
    invariants: [4],
    title: "Envoy's own answers on the release listener pass for Claude's",
    why: `With ${envoyAnsweredHeader} on them alone, a Claude that cannot be reached is no error of its own, and Claude cannot say of an error of its own that Envoy made it.`,
    find: ({ manager }) => {
      const mappers = manager.config.at('local_reply_config', 'mappers');
      const marks = mappers.items.flatMap((mapper) => mapper.at('headers_to_add').items);
      const isMarked = marks.some((mark) => mark.at('header', 'key').text.toLowerCase() === envoyAnsweredHeader);
      const removed = manager.config.at('route_config', 'response_headers_to_remove');
      const isRemoved = removed.texts.some((name) => name.toLowerCase() === envoyAnsweredHeader);
      return [
        ...(isMarked ? [] : [{ at: mappers, found: 'it does not mark them', change: rendered }]),
        ...(isRemoved
          ? []
          : [{ at: removed, found: 'it leaves the mark on what comes from Claude', change: rendered }]),
      ];
    },
  }),
];

function addressIn(additional: Setting): Setting {
  return additional.at('address');
}

function whole({ action, label }: Route): Fault[] {
  const at = action.at('timeout');
  const timeoutMs = at.durationMs ?? 15_000;
  if (timeoutMs === 0 || timeoutMs >= routeTimeoutMinMs) return [];
  return [{ at, found: `timeout of the route ${label} is ${written(at)}`, change: 'timeout: 0s' }];
}

function idle(at: Setting, name: string): Fault[] {
  const { durationMs } = at;
  if (durationMs === undefined || durationMs === 0 || durationMs >= idleTimeoutMinMs) return [];
  return [{ at, found: `${name} is ${written(at)}`, change: '660s' }];
}

/** Lets pass only what skilltape said `released` of. */
function isReleaseLock({ type, config, isOff }: HttpFilter): boolean {
  const rules = config.at('rules');
  if (type !== 'RBAC' || isOff || (rules.at('action').choice(['ALLOW', 'DENY', 'LOG']) || 'ALLOW') !== 'ALLOW') {
    return false;
  }
  const policies = rules.at('policies').entries;
  return policies.length > 0 && policies.every(([, policy]) => asksForRelease(policy.at('permissions').items));
}

function asksForRelease(permissions: readonly Setting[]): boolean {
  const asks = (matcher: Setting) =>
    matcher.at('filter').text === 'skilltape' &&
    matcher.at('path', 0, 'key').text === 'verdict' &&
    matcher.at('value', 'string_match', 'exact').text === 'released' &&
    !matcher.at('invert').isOn;
  const matchers = permissions.map((one) => one.at('sourced_metadata', 'metadata_matcher'));
  return matchers.length > 0 && matchers.every(asks);
}

function onReleasing({ find, ...about }: Omit<Rule, 'find'> & { find(releasing: Recorded): Fault[] }): Rule {
  return { ...about, find: (gateway) => releasingOf(gateway).flatMap(find) };
}
