/**
 * The three Reflect metadata calls that tsyringe (under @peculiar/x509) insists on at import. The library is compiled without
 * decorator metadata, so "there is none" is the whole truth; a real polyfill that is already loaded is left alone.
 */
const reflection = Reflect as unknown as Record<string, unknown>;

reflection.getMetadata ??= () => undefined;
reflection.getOwnMetadata ??= () => undefined;
reflection.defineMetadata ??= () => undefined;
