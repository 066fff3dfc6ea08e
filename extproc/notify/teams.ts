import { factsOf, type Notice, titleOf } from './notice.ts';
import { plain } from './plain.ts';

/**
 * An Adaptive Card in the envelope that an incoming webhook of a Teams workflow takes. Values stand in text runs, which
 * have no Markdown; a `TextBlock` and a `FactSet` would read it. A mention needs an entity, and there is none.
 */
export function teamsMessage(notice: Notice): object {
  const facts = factsOf(notice).map(({ name, value }) => ({
    type: 'RichTextBlock',
    spacing: 'Small',
    inlines: [run(`${name}: `, 'Bolder'), run(plain(value), 'Default')],
  }));
  const title = { type: 'RichTextBlock', inlines: [{ ...run(plain(titleOf(notice)), 'Bolder'), size: 'Medium' }] };
  const actions =
    notice.link === null ? [] : [{ type: 'Action.OpenUrl', title: 'Open the ticket', url: new URL(notice.link).href }];
  const card = {
    ...{ $schema: 'http://adaptivecards.io/schemas/adaptive-card.json', type: 'AdaptiveCard', version: '1.4' },
    ...{ body: [title, ...facts], actions },
  };
  const contentType = 'application/vnd.microsoft.card.adaptive';
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content: card }] };
}

function run(text: string, weight: 'Bolder' | 'Default') {
  return { type: 'TextRun', text, weight };
}
