/** What exchanges know of earlier ones: from the index, from grants, and from what other workers tell. */
import type { Config } from './config/config.ts';
import { countedUse } from './counted-use.ts';
import type { ExchangeContext, SessionLinks } from './exchange/ports.ts';
import { createSessionLinks } from './exchange/session-links.ts';
import type { Links } from './index/links.ts';
import { openLinksForReading } from './index/sqlite/links.ts';
import { memoryFile } from './index/sqlite/memory.ts';
import { knownGrants } from './known-grants.ts';
import { knownOwners } from './known-owners.ts';
import type { Log } from './log.ts';
import type { RecorderParts } from './recorder.ts';
import type { SharedFact } from './workers/protocol.ts';

export type Known = AsyncDisposable & {
  earlier: Pick<ExchangeContext, 'sessionLinks' | 'owners' | 'grants' | 'totals'>;
  /** Another worker learnt it. */
  note(fact: Exclude<SharedFact, { kind: 'end_report' }>): void;
};

const rememberedSessionLinksMax = 10_000;

export async function knownTo(parts: RecorderParts): Promise<Known> {
  await using started = new AsyncDisposableStack();
  const { config, log, share } = parts;
  const storedLinks = started.adopt(linksFor(config), (links) => links.close());
  const sessionLinks = createSessionLinks(rememberedSessionLinksMax, storedSessionOf(storedLinks, log));
  const things = started.adopt(knownOwners(parts), (owners) => owners.close());
  const held = started.adopt(knownGrants(parts), (grants) => grants.close());
  const use = started.adopt(countedUse(parts), (counted) => counted.close());
  const all = started.move();
  return {
    earlier: {
      sessionLinks: sharing(sessionLinks, share),
      owners: things.owners,
      grants: held.grants,
      totals: use.totals,
    },
    note(fact) {
      switch (fact.kind) {
        case 'usage':
          return use.note(fact.exchange);
        case 'session_link':
          return void sessionLinks.remember(fact.key, fact.session);
        case 'owner':
          return things.note(fact.key, fact.owner);
        default:
          return fact satisfies never;
      }
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function linksFor({ dataDirectory, index }: Config) {
  return openLinksForReading(memoryFile(dataDirectory, index.kind));
}

/** What an answer brings is known to all workers before its end is let through: the next request may go to any. */
function sharing(links: SessionLinks, share: RecorderParts['share']): SessionLinks {
  if (share === undefined) return links;
  return {
    sessionOf: (key) => links.sessionOf(key),
    async remember(key, session) {
      await links.remember(key, session);
      await share({ kind: 'session_link', key, session });
    },
  };
}

/** An index that cannot be read must not refuse requests: the exchange is then a session of its own. */
function storedSessionOf(links: Links, log: Log): (key: string) => string | null {
  return (key) => {
    try {
      return links.find(key)?.session ?? null;
    } catch (err) {
      log.warn({ err }, 'an earlier session could not be looked up');
      return null;
    }
  };
}
