import { usageError } from '../exit-codes.js';

/** What a column may hold. Dots lead into `identity.legalRepresentative`. */
export const COLUMN_NAMES = {
  merchantId: [
    'merchantId',
    'merchant id',
    'merchant',
    '商家编号',
    '商户编号',
    '商家ID',
    '商户ID',
    '商户号',
    '商家号',
    '商家账号',
  ],
  kind: ['kind', 'subject kind', 'type', '主体类型', '类型', '商家类型', '主体性质', '经营主体类型'],
  name: [
    'name',
    'company name',
    'merchant name',
    'registered name',
    '名称',
    '主体名称',
    '企业名称',
    '公司名称',
    '商家名称',
    '商户名称',
    '姓名',
  ],
  uscc: [
    'uscc',
    'unified social credit code',
    'credit code',
    '统一社会信用代码',
    '社会信用代码',
    '信用代码',
    '统一信用代码',
  ],
  registrationNumber: ['registrationNumber', 'registration number', '注册号', '工商注册号', '营业执照注册号'],
  residentId: [
    'residentId',
    'resident id',
    'id number',
    '身份证号',
    '身份证号码',
    '居民身份证号码',
    '居民身份证号',
    '公民身份号码',
    '经营者身份证号',
  ],
  'legalRepresentative.name': [
    'legalRepresentative',
    'legalRepresentative.name',
    'legal representative',
    '法定代表人',
    '法人',
    '法人代表',
    '法定代表人姓名',
    '法人姓名',
    '负责人',
    '经营者姓名',
    '经营者',
  ],
  'legalRepresentative.residentId': [
    'legalRepresentative.residentId',
    'legal representative id',
    '法定代表人身份证号',
    '法人身份证号',
    '法人身份证号码',
    '法定代表人身份证号码',
    '负责人身份证号',
  ],
  phones: ['phones', 'phone', 'telephone', 'mobile', '电话', '手机', '手机号', '手机号码', '联系电话', '联系方式'],
  emails: ['emails', 'email', 'e-mail', '邮箱', '电子邮箱', '电子邮件', '邮箱地址'],
  bankAccounts: [
    'bankAccounts',
    'bank account',
    'bank accounts',
    '银行账号',
    '银行账户',
    '银行卡号',
    '对公账户',
    '结算账户',
  ],
  address: [
    'address',
    'registered address',
    '地址',
    '住所',
    '注册地址',
    '经营场所',
    '经营地址',
    '联系地址',
    '详细地址',
  ],
  regionCode: ['regionCode', 'region code', 'region', '行政区划代码', '行政区划', '区划代码', '地区代码'],
  verifiedAt: ['verifiedAt', 'verified at', '核验时间', '核验日期', '认证时间'],
  shopId: ['shopId', 'shop id', '店铺编号', '店铺ID', '网店编号', '店铺号'],
  shopName: ['shopName', 'shop name', '店铺名称', '网店名称', '店名', '店铺名'],
  shopUrl: ['shopUrl', 'shop url', 'url', '店铺网址', '店铺链接', '网店网址', '网址', '店铺地址链接'],
  status: ['status', '状态', '经营状态', '店铺状态'],
  reportedAt: ['reportedAt', 'reported at', 'date', '报送日期', '报送时间', '上报时间', '入驻时间'],
  memberId: ['memberId', 'member', 'platform', '平台', '平台编号', '成员'],
} as const satisfies Record<string, readonly string[]>;

export type Column = keyof typeof COLUMN_NAMES;

/** Which place of the row each known column has, and the headings that nothing is known of. */
export interface Mapping {
  places: Partial<Record<Column, number>>;
  ignored: string[];
}

const simple = (heading: string): string =>
  heading
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s_\-*:()]/g, '');

const KNOWN = new Map<string, Column>(
  (Object.keys(COLUMN_NAMES) as Column[]).flatMap((column) =>
    COLUMN_NAMES[column].map((heading): [string, Column] => [simple(heading), column]),
  ),
);

/** `--map 'Heading=column'` → heading → column; an unknown column is refused by name. */
export function parseOverrides(given: readonly string[]): Map<string, Column> {
  return new Map(
    given.map((text) => {
      const at = text.lastIndexOf('=');
      const column = text.slice(at + 1).trim();
      if (at < 1 || !(column in COLUMN_NAMES)) {
        const known = Object.keys(COLUMN_NAMES).join(', ');
        throw usageError(
          'BAD_MAP',
          `--map ${text}: write Heading=column, with one of ${known}.`,
          `--map ${text}:请写成 列名=字段，字段为 ${known} 之一。`,
        );
      }
      return [simple(text.slice(0, at)), column as Column];
    }),
  );
}

/**
 * Finds the columns by their headings, Chinese or English. The first of two columns with one meaning counts.
 * @throws CliError naming a required column that is missing, and the headings that would do
 */
export function mapColumns(
  headings: readonly string[],
  overrides: ReadonlyMap<string, Column>,
  hasKind: boolean,
  alsoRequired: readonly Column[] = ['merchantId'],
): Mapping {
  const places: Mapping['places'] = {};
  const ignored: string[] = [];
  for (const [place, heading] of headings.entries()) {
    const column = overrides.get(simple(heading)) ?? KNOWN.get(simple(heading));
    if (column === undefined || places[column] !== undefined) ignored.push(heading);
    else places[column] = place;
  }
  const required: Column[] = [...alsoRequired, 'name', ...(hasKind ? [] : (['kind'] as const))];
  const missing = required.find((column) => places[column] === undefined);
  if (missing) throw missingColumn(missing, headings);
  return { places, ignored };
}

function missingColumn(missing: Column, headings: readonly string[]): Error {
  const wanted = COLUMN_NAMES[missing].join(', ');
  const kindEn = missing === 'kind' ? ' Or give one kind for all rows: --kind organization.' : '';
  const kindZh = missing === 'kind' ? '或为所有行指定：--kind organization。' : '';
  return usageError(
    'COLUMN_MISSING',
    `No column for ${missing}. The file has: ${headings.join(', ')}.\nName one of them ${wanted}, or say --map 'Heading=${missing}'.${kindEn}`,
    `缺少 ${missing} 列。文件中的列：${headings.join('、')}。\n请将其中一列命名为 ${wanted} 之一，或使用 --map '列名=${missing}'。${kindZh}`,
  );
}
