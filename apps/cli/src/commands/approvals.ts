import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { wordOf } from '../render/render.js';
import type { CommonOptions } from './common.js';

export interface ApprovalOptions extends CommonOptions {
  refuse?: boolean;
  /** Of a review: the person who decides. */
  reviewer?: string;
}

/** Whose word is needed besides, and the command that gives it. */
export interface SecondPerson {
  en: string;
  zh: string;
  command: string;
  /** What that command asks for besides. */
  rest?: string;
}

interface Answer {
  approvalId?: string;
  status?: string;
}

/** Says what became of a request: done, or whose word it waits for. */
export function printRequested(
  context: Context,
  answer: Answer,
  { json }: CommonOptions,
  { en, zh, command, rest }: SecondPerson,
): ExitCode {
  const { approvalId, status } = answer;
  const line = ['liandun', command, approvalId, ...(rest === undefined ? [] : [rest])].join(' ');
  const text =
    status === undefined && approvalId !== undefined
      ? context.t(`awaits a second ${en}: ${line}`, `待另一${zh}审批：${line}`)
      : wordOf(context, 'status', String(status));
  context.print(json ? JSON.stringify(answer) : text);
  return EXIT.done;
}

/** A second person's word on what another proposed. */
export async function approve(
  context: Context,
  approvalId: string,
  options: ApprovalOptions,
  second: SecondPerson,
): Promise<ExitCode> {
  const decision = options.refuse ? 'refuse' : 'approve';
  const path = `/v1/approvals/${encodeURIComponent(approvalId)}`;
  const body = { decision, ...(options.reviewer !== undefined && { reviewer: options.reviewer }) };
  return printRequested(context, await context.client(options.as).post<Answer>(path, body), options, second);
}
