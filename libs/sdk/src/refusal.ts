import type { Problem } from '@liandun/contracts';
import { LiandunError } from './errors.js';

/** `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110, section 10.2.3). */
export function retryAfterMs(header: string | null, nowMs = Date.now()): number | undefined {
  if (!header) return undefined;
  const at = /^\d+$/.test(header) ? nowMs + Number(header) * 1000 : Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** The error that an answer of 4xx or 5xx stands for, whatever its body is. Reads the body. */
export async function refusalOf(response: Response): Promise<LiandunError> {
  const text = await response.text().catch(() => '');
  return refusal(response.status, text, response.headers.get('retry-after'));
}

export function refusal(status: number, text: string, retryAfter: string | null): LiandunError {
  const problem = parseProblem(text);
  return new LiandunError(problem?.code ?? `HTTP_${status}`, problem?.detail ?? `The ledger answered ${status}`, {
    status,
    problem,
    retryAfterMs: retryAfterMs(retryAfter),
  });
}

/** OAuth's own errors (RFC 6749, section 5.2) come as `{ error }`: their code is used as it is. */
function parseProblem(text: string): Problem | undefined {
  try {
    const body = JSON.parse(text) as Partial<Problem> & { error?: unknown; error_description?: string };
    if (typeof body.code === 'string') return body as Problem;
    if (typeof body.error !== 'string') return undefined;
    const detail = body.error_description ?? body.error;
    return { type: 'about:blank', title: body.error, status: 0, code: body.error, detail, detailZh: detail };
  } catch {
    return undefined; // a proxy's page, not the ledger's answer
  }
}
