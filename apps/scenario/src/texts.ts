const en = {
  title: (run: string) => `One delisting, all shops closed · run ${run} (fictional, region 990101)`,
  reporting: 'Five platforms report their merchants',
  reported: (merchants: number, shops: number) => `${merchants} merchants, ${shops} shops`,
  sharing: '70 delistings are shared; elsewhere shops close, their open orders go on',
  mistake: 'One merchant was wrongly identified: reinstated everywhere',
  result: 'Result',
  verbs: {
    reports: 'reports',
    delists: 'delists',
    closes: 'closes',
    declines: 'declines',
    answers: 'answers',
    reinstates: 'reinstates',
    reopens: 'reopens',
  },
  /** Shops that changed, and the orders in them that go on. */
  shops: (shops: number, orders: number) =>
    `${shops} shop${shops === 1 ? '' : 's'}${orders > 0 ? `, ${orders} order${orders === 1 ? '' : 's'}` : ''}`,
  reasons: { F04: 'price gouging', E01: 'false ads', C06: 'fake supplies' },
  columns: ['platform', 'records', 'matched', 'closed', 'declined', 'reopened', 'median'],
  widths: [12, 8, 8, 8, 9, 9, 10],
  total: 'all',
  restricted: (n: number) => `Admission restricted where they had no shop: ${n} notices.`,
  bystanders: (n: number) => `${n} other merchants, five with the name of a listed one, stay open.`,
  medians: (close: string, reopen: string) => [
    `Median from sending the delisting to the shop closed: ${close}`,
    `Median from sending the reinstatement to the shop reopened: ${reopen}`,
  ],
};

const zh: typeof en = {
  title: (run) => `一处清退、处处关店 · 运行编号 ${run}（虚构商家，行政区划代码 990101）`,
  reporting: '五个平台报送商家',
  reported: (merchants, shops) => `商家 ${merchants} 户，店铺 ${shops} 家`,
  sharing: '共享 70 条清退记录，同一商家在其他平台随之关店，已有订单照常履行',
  mistake: '其中一户身份认定有误：各平台全部恢复',
  result: '结果',
  verbs: {
    reports: '报送',
    delists: '清退',
    closes: '关店',
    declines: '拒绝关店',
    answers: '答复',
    reinstates: '恢复',
    reopens: '重新开店',
  },
  shops: (shops, orders) => `${shops} 家店${orders > 0 ? `，留单 ${orders} 笔` : ''}`,
  reasons: { F04: '哄抬物价', E01: '虚假宣传', C06: '假冒防疫物资' },
  columns: ['平台', '共享记录', '命中', '已关店', '拒绝', '已恢复', '中位耗时'],
  widths: [12, 8, 8, 8, 9, 9, 10],
  total: '合计',
  restricted: (n) => `未开店的平台收到限制入驻通知 ${n} 条。`,
  bystanders: (n) => `其余 ${n} 户商家（其中 5 户与被清退商家同名）照常营业。`,
  medians: (close, reopen) => [`发出清退到关店，中位耗时 ${close}`, `发出恢复到重新开店，中位耗时 ${reopen}`],
};

export const TEXTS = { en, zh };
export type Text = typeof en;
