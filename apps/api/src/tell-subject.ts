import { memberOfSource, type ReasonCode } from '@liandun/contracts';
import { isOver } from '@liandun/domain';
import type { SubjectEntry } from '@liandun/views';

/** What the text is about. */
export interface Told {
  /** The listing's state now. */
  status: string;
  reason: ReasonCode;
  filing: SubjectEntry;
  /** Where the subject's page is. */
  page: string;
  /** RFC 3339: until when a held case waits for an answer, if that is known yet. */
  due?: string | undefined;
}

/**
 * What a publisher passes on to the subject of its case, as the case stands: the facts, the evidence, and the way to answer one that
 * is held (行政处罚法 第44条 by analogy), to see and appeal against one that is in force, to see one that is over (rules P06, P07).
 */
export function tellSubject({ status, reason, filing, page, due }: Told): { zh: string; en: string } {
  const { code, labelZh, labelEn, legalBasis } = reason;
  const publisher = memberOfSource(filing.source) ?? filing.source;
  const pieces: number = filing.data.proof?.evidence?.length ?? 0;
  const laws = legalBasis.join('；');
  const counted = pieces === 1 ? 'is one piece' : `are ${pieces} pieces`;
  const proof = {
    zh: `证据共 ${pieces} 份，目录见 evidence。`,
    en: `There ${counted} of evidence, listed under evidence. `,
  };
  const way = {
    zh: `打开 ${page}，凭统一社会信用代码或身份证号及短信、邮件验证码`,
    en: `open ${page} and prove who you are with your credit code or identity number and a code by SMS or mail`,
  };
  if (status === 'held')
    return {
      zh: [
        `${publisher} 拟以“${labelZh}”（${code}）为由将您列入联盾共享账本。依据：${laws}。${proof.zh}目前尚未告知任何其他平台。`,
        due ? `您可在 ${due} 前陈述、申辩。` : '您可以陈述、申辩，期限另行告知。',
        `方式：${way.zh}查看并答复，无需注册账号。`,
      ].join(''),
      en: [
        `${publisher} intends to list you in the Liandun shared ledger for "${labelEn}" (${code}). Basis: ${laws}. ${proof.en}No other platform has been told. `,
        due ? `You may answer until ${due}: ` : 'You may answer; the deadline will follow: ',
        `${way.en}, and answer there. No account is needed.`,
      ].join(''),
    };
  const listed = {
    zh: `${publisher} 以“${labelZh}”（${code}）为由将您列入联盾共享账本。依据：${laws}。${proof.zh}`,
    en: `${publisher} listed you in the Liandun shared ledger for "${labelEn}" (${code}). Basis: ${laws}. ${proof.en}`,
  };
  if (isOver({ status }))
    return {
      zh: `${listed.zh}该列名已终止，曾收到通知的平台均已被告知。如需查看记录：${way.zh}，无需注册账号。`,
      en: `${listed.en}The listing is over, and every platform that was told of it was told so. To see the record, ${way.en}. No account is needed.`,
    };
  return {
    zh: [
      `${listed.zh}${status === 'stayed' ? '该列名在申诉决定作出前暂停执行。' : '该列名已生效，并已告知其他平台。'}`,
      `您可以查看全部内容、补充陈述或提出申诉，申诉决定对所有平台同时生效。方式：${way.zh}，无需注册账号。`,
    ].join(''),
    en: [
      listed.en,
      status === 'stayed'
        ? 'The listing is suspended until your appeal is decided. '
        : 'The listing is in force, and other platforms have been told. ',
      `You may see all of it, add a statement, or appeal; what is decided of an appeal takes effect on every platform: ${way.en}. No account is needed.`,
    ].join(''),
  };
}
