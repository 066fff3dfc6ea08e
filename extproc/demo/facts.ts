import { z } from 'zod';

/** Where `skilltape up` keeps everything it makes, beside the checkout's own files. */
export const demoDirectory = '.skilltape';

/** What `skilltape up` leaves for this command: where its identity provider is and how each person is let in. */
export const demoFile = 'demo.json';

export const demoFacts = z.object({
  url: z.string(),
  caFile: z.string(),
  issuer: z.string(),
  /** Resource indicator (RFC 8707) for which the provider gives tokens that the gateway takes. */
  resource: z.string(),
  userClientSecret: z.string(),
});

export type DemoFacts = z.infer<typeof demoFacts>;
