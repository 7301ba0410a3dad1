// The port through which one-time codes reach subjects. The ledger sends none itself: SMS and mail are an operator's gateway's.
import type { CodeChannel } from '@liandun/contracts';

export interface CodeMessage {
  channel: CodeChannel;
  /** A telephone number, digits only, or a mail address: one that a member reported of the subject. */
  to: string;
  code: string;
  expiresAt: Date;
}

export interface CodeSender {
  /** Resolves once the gateway has taken the message; a rejection never holds the code or the address. */
  send(message: CodeMessage): Promise<void>;
}

const ANSWERS_WITHIN_MS = 10_000;

const textsOf = (code: string): { textZh: string; textEn: string } => ({
  textZh: `【联盾】验证码 ${code}，十分钟内有效。用于查看、申诉与您有关的列名，请勿告知任何人。如非本人操作，请忽略。`,
  textEn: `Liandun: your code is ${code}. It holds for ten minutes, to see and appeal what is listed about you. Tell nobody; if you didn't ask for it, ignore it.`,
});

/**
 * Posts each message as JSON, `{ channel, to, code, expiresAt, textZh, textEn }`, to an operator's gateway, which sends it by its own
 * contracts with the carriers. `bearer` is shown to it; any answer but 2xx is a failure.
 */
export const webhookSender = (url: string, bearer?: string): CodeSender => ({
  async send({ channel, to, code, expiresAt }) {
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
      headers: { 'content-type': 'application/json', ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) },
      body: JSON.stringify({ channel, to, code, expiresAt: expiresAt.toISOString(), ...textsOf(code) }),
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`the gateway for codes answered ${answer.status}`);
  },
});
