import type { Notice } from '../../../extproc/notify/notice.ts';

export function notice(changes: Partial<Notice> = {}): Notice {
  return {
    ...{ id: 't-1.1', about: 'approval', occasion: 'opened', ticket: 't-1', timeMs: 1_000, untilMs: 3_600_000 },
    ...{ risk: 'high', quorum: 1, connection: 'claude', models: ['claude-opus-4-8'], skills: ['pdf'] },
    reasons: [{ rule: 'request/findings_listed', message: 'The request holds a secret.' }],
    ...{ decision: null, asked: null, wasGranted: false },
    person: { name: 'Ada', email: 'ada@example.com', subject: 'u-1' },
    link: 'https://skilltape.example/approvals/t-1',
    ...changes,
  };
}
