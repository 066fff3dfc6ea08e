import { factsOf, type Notice, titleOf } from './notice.ts';
import { plain } from './plain.ts';

/** Blocks take up to 3,000 characters of text, a section 10 fields of 2,000; `plain` stays below. */
const fieldsMax = 10;

/**
 * As an incoming webhook of Slack takes it, and chats that speak its shape. Values stand in `plain_text`, where no markup
 * is read; what is `mrkdwn` are our words and our link.
 */
export function slackMessage(notice: Notice): object {
  const title = plain(titleOf(notice));
  const fields = factsOf(notice).map(({ name, value }) => plainText(`${name}: ${plain(value)}`));
  return {
    text: escaped(title),
    // Neither bare addresses nor @names are to become more than text.
    ...{ link_names: false, unfurl_links: false, unfurl_media: false },
    blocks: [
      { type: 'header', text: plainText(title) },
      { type: 'section', fields: fields.slice(0, fieldsMax) },
      ...(notice.link === null ? [] : [{ type: 'section', text: { type: 'mrkdwn', text: linkOf(notice.link) } }]),
    ],
  };
}

function plainText(text: string) {
  return { type: 'plain_text', text, emoji: false };
}

function linkOf(url: string): string {
  return `<${escaped(new URL(url).href).replaceAll('|', '%7C')}|Open the ticket>`;
}

/** The three characters that Slack's markup begins with. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
