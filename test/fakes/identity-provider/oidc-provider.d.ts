/** The part of oidc-provider 9 (which ships no types) that the identity provider uses. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export type Client = { readonly clientId: string };
  /** What extraTokenClaims gets: access tokens of people carry an account, those of client_credentials none. */
  export type IssuedToken = { readonly clientId: string; readonly accountId?: string };
  export type Context = {
    body: unknown;
    type: string;
    readonly oidc: {
      readonly client: Client;
      readonly provider: Provider;
      readonly session: { readonly accountId: string; grantIdFor(clientId: string): string | undefined };
      readonly result?: { readonly consent?: { readonly grantId?: string } };
    };
  };

  class Grant {
    constructor(properties: { accountId: string; clientId: string });
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
    static find(id: string): Promise<Grant | undefined>;
  }

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    readonly Grant: typeof Grant;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<{ readonly uid: string }>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: { readonly login: { readonly accountId: string }; readonly consent: { readonly grantId?: string } },
    ): Promise<void>;
  }

  export const errors: { readonly InvalidTarget: new (message?: string) => Error };
  export const interactionPolicy: {
    base(): { get(prompt: string): { readonly checks: { remove(reason: string): void } } };
  };
}
