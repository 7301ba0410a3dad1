import { setTimeout as sleep } from 'node:timers/promises';

const CODE_WITHIN_MS = 10_000;

/** A merchant at the ledger's public door: no account, only the number and the phone that are his. */
export class Subject {
  readonly #url: string;
  readonly #codesUrl: string;
  #token = '';

  /** `codesUrl`: where the sandbox's gateway keeps the codes that it was given, as his phone would. */
  constructor(url: string, codesUrl: string) {
    this.#url = url;
    this.#codesUrl = codesUrl;
  }

  /** Proves who he is by the code that reaches his phone. */
  async identify(uscc: string, name: string, phone: string): Promise<void> {
    const asked = { uscc, name, channel: 'sms' };
    const { identificationId } = await this.#post<{ identificationId: string }>('/public/identifications', asked);
    const code = await this.#codeFor(phone);
    const path = `/public/identifications/${identificationId}/code`;
    this.#token = (await this.#post<{ token: string }>(path, { code })).token;
  }

  /** One appeal, for every platform. */
  async appeal(listingId: string, statement: string): Promise<void> {
    await this.#post('/public/appeals', { listingId, grounds: 'notMe', statement, evidence: [] });
  }

  /** Whether any publisher's record of errors lowers what it files (rule P19): that is public. */
  async seesLowered(): Promise<boolean> {
    const answer = await fetch(`${this.#url}/public/publishers`);
    if (!answer.ok) throw new Error(`/public/publishers: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { items: { lowered?: boolean }[] }).items.some(({ lowered }) => lowered);
  }

  async #codeFor(phone: string): Promise<string> {
    for (const until = Date.now() + CODE_WITHIN_MS; Date.now() < until; await sleep(20)) {
      const answer = await fetch(`${this.#codesUrl}?to=${encodeURIComponent(phone)}`);
      if (answer.ok) return ((await answer.json()) as { code: string }).code;
    }
    throw new Error(`no code reached ${phone}`);
  }

  async #post<T>(path: string, body: object): Promise<T> {
    const answer = await fetch(this.#url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.#token !== '' && { authorization: `Bearer ${this.#token}` }),
      },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}
