import type { Gateway } from '../model.ts';
import { recordedOf, written } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';
import { oldTls } from './peers.ts';

const gracefulClose = 'envoy.reloadable_features.ext_proc_graceful_grpc_close';
const clientIdle = 'max_cached_entry_idle_duration';
/** Longer than any exchange. */
const clientIdleMinMs = 86_400_000;
const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** Traps of the Envoy process as a whole: its admin interface, its runtime keys, its own limits. */
export const processRules: readonly Rule[] = [
  {
    id: 'admin-on-network',
    severity: 'critical',
    invariants: [2, 6],
    title: 'The admin interface can be reached over the network',
    why: 'It asks nobody for a password, shows the configuration, can stop Envoy, turn logging of headers on and change runtime keys.',
    find: ({ admin }) => {
      const socket = admin.at('address', 'socket_address');
      if (!socket.isWritten || loopback.test(socket.at('address').text)) return [];
      return [
        {
          at: socket,
          found: `it listens on ${written(socket.at('address'))}`,
          change: 'admin: { address: { pipe: { path: /run/skilltape/envoy-admin.sock, mode: 384 } } }',
        },
      ];
    },
  },
  {
    id: 'admin-open-to-users',
    severity: 'warning',
    invariants: [6],
    title: 'Every user of the machine can use the admin interface',
    why: 'A port of the loopback address, or a socket that others may open, is open to every process of the machine.',
    find: ({ admin }) => {
      const address = admin.at('address');
      const change = 'address: { pipe: { path: /run/skilltape/envoy-admin.sock, mode: 384 } }';
      if (loopback.test(address.at('socket_address', 'address').text))
        return [{ at: address, found: 'it listens on the loopback address', change }];
      const mode = address.at('pipe', 'mode');
      if (!address.at('pipe').isWritten || (mode.number ?? 0) === 0 || ((mode.number ?? 0) & 0o077) === 0) return [];
      return [
        { at: mode, found: `others than its owner may open it (mode 0${(mode.number ?? 0).toString(8)})`, change },
      ];
    },
  },
  {
    id: 'graceful-close-off',
    severity: 'critical',
    invariants: [],
    title: 'Requests fail in bursts',
    why: 'By default Envoy resets the stream of every exchange, and a Node process takes a thousand resets for an attack and ends the connection: all that is open on it fails.',
    find: ({ layeredRuntime }) => {
      const layers = layeredRuntime.at('layers');
      const values = layers.items
        .map((layer) => layer.at('static_layer'))
        .flatMap((layer) => [layer.at(gracefulClose), nested(layer)]);
      if (values.some(({ isOn }) => isOn)) return [];
      const at = values.find(({ isWritten }) => isWritten) ?? layers;
      return [
        {
          at,
          found: `${gracefulClose} is ${written(at.path.includes(gracefulClose) ? at : layers.at(gracefulClose))}`,
          change: `layered_runtime: { layers: [{ name: skilltape, static_layer: { ${gracefulClose}: true } }] }`,
        },
      ];
    },
  },
  {
    id: 'long-exchange-kills-envoy',
    severity: 'critical',
    invariants: [2],
    title: 'Envoy dies at the end of a long exchange',
    why: 'Envoy 1.40 forgets its client of the processor when no exchange began for 50 s, also while exchanges are open on it. The last of them (a held request, a long answer) ends with a crash of Envoy, which takes every other open answer along.',
    find: ({ grpcClients }) => {
      const at = grpcClients.at(clientIdle);
      if ((at.durationMs ?? 0) >= clientIdleMinMs) return [];
      const change = `grpc_async_client_manager_config: { ${clientIdle}: 604800s }`;
      return [{ at, found: `${clientIdle} is ${written(at)}`, change }];
    },
  },
  {
    id: 'connections-unbounded',
    severity: 'warning',
    invariants: [10],
    title: 'Any number of connections is taken',
    why: 'Each costs memory: callers that open many bring Envoy down, and with it every open answer.',
    find: (gateway) => {
      const at = gateway.overload.at('resource_monitors');
      const monitored = at.items.some(
        (one) => (one.at('typed_config', 'max_active_downstream_connections').number ?? 0) > 0,
      );
      if (monitored || recordedOf(gateway).length === 0) return [];
      return [
        { at, found: 'there is no limit of downstream connections', change: 'overload_manager of envoy/envoy.yaml' },
      ];
    },
  },
  {
    id: 'listener-tls-old',
    severity: 'warning',
    invariants: [6],
    title: 'Callers may use old versions of TLS',
    why: 'TLS 1.0 and 1.1 are broken and no longer needed.',
    find: (gateway) => recordedOf(gateway).flatMap(({ manager }) => oldTls(manager.filterChain.at('transport_socket'))),
  },
  {
    id: 'not-in-this-file',
    severity: 'critical',
    invariants: [],
    title: 'A part of the configuration was not seen',
    why: 'What comes by discovery (LDS, CDS, RDS, ECDS) is not in a bootstrap file: it cannot be vouched for.',
    find: (gateway: Gateway) =>
      gateway.unseen.map(
        (at: Setting): Fault => ({
          at,
          found: `${at.path.at(-1)} is not in this file`,
          change: 'check the config dump of the running Envoy: GET /config_dump?include_eds of its admin interface',
        }),
      ),
  },
];

/** Runtime keys may also be written as nested mappings. */
function nested(layer: Setting): Setting {
  return layer.at('envoy', 'reloadable_features', 'ext_proc_graceful_grpc_close');
}
