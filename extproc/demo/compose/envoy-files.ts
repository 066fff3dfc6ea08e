import { stringify } from 'yaml';
import type { ConnectionPlan, TlsTarget } from '../../envoy/plan.ts';
import { renderEnvoy } from '../../envoy/render.ts';
import { audience, issuerOf, type Places } from './places.ts';
import type { SetupFiles } from './secrets.ts';

/** @property realKey key of the Claude API; null: the fake one answers, which takes `fakeKey` alone */
export type Upstream = { readonly realKey: string | null; readonly fakeKey: string };

const systemAuthorities = '/etc/ssl/certs/ca-certificates.crt';
const realHost = 'api.anthropic.com';

/** Envoy's configuration and its secrets, which no other service sees. */
export function envoyFiles(places: Places, { realKey, fakeKey }: Upstream): SetupFiles {
  const { root, claude, gateway } = places;
  const caFile = `${root}/envoy/ca.crt`;
  const fake = { ...claude, serverName: claude.host, caFile };
  const real = { host: realHost, port: 443, serverName: realHost, caFile: systemAuthorities };
  const issuer = issuerOf(places);
  const configuration = renderEnvoy({
    listener: { address: places.listenAddress, port: gateway.port },
    adminSocket: `${places.runDirectory}/envoy-admin.sock`,
    accessLogFile: `${places.logDirectory}/access.log`,
    certificateFile: `${root}/envoy/sds/gateway_certificate.yaml`,
    processors: [{ socket: `${places.runDirectory}/extproc.sock` }],
    identityProviders: [
      { name: 'idp', issuer, audiences: [audience], jwksUri: `${issuer}/jwks`, jwksCacheMs: 600_000, caFile },
    ],
    connections:
      realKey === null ? connectionsTo(fake, root, 'claude', 'sandbox') : connectionsTo(real, root, 'claude'),
  });
  const certificate = {
    certificate_chain: { filename: `${root}/envoy/gateway.crt` },
    private_key: { filename: `${root}/envoy/gateway.key` },
  };
  return {
    'envoy/envoy.yaml': configuration,
    'envoy/sds/gateway_certificate.yaml': secret('gateway_certificate', { tls_certificate: certificate }),
    'envoy/sds/claude_credential.yaml': secret('claude_credential', {
      generic_secret: { secret: { inline_string: realKey ?? fakeKey } },
    }),
  };
}

/** The first takes every path that the others do not; they share the credential. */
function connectionsTo(upstream: TlsTarget, root: string, ...names: readonly string[]): ConnectionPlan[] {
  const credential = { file: `${root}/envoy/sds/claude_credential.yaml`, header: 'x-api-key' as const };
  return names.map((name, at) => ({
    ...{ name, upstream, credential, pinnedHeaders: {} },
    routePrefix: at === 0 ? '/' : `/${name}`,
  }));
}

function secret(name: string, content: object): string {
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
  return stringify({ resources: [{ '@type': type, name, ...content }] });
}
