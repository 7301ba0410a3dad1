import {
  APPEAL_DECISIONS,
  CAUSES,
  DEADLINE_ACTIONS,
  DEADLINE_REASONS,
  REVIEW_DECISIONS,
  REVIEW_GROUNDS,
  SUBJECT_KINDS,
  UNDO_GROUNDS,
} from '@liandun/contracts';
import { Argument, Command, Help, InvalidArgumentError, Option } from 'commander';
import stringWidth from 'string-width';
import {
  changeAppealDeadline,
  decideAppeal,
  findMalice,
  listAppeals,
  showAppeal,
  stayAppealed,
  type AppealDeadlineOptions,
  type AppealDecideOptions,
  type AppealListOptions,
  type AppealReadOptions,
  type MaliceOptions,
} from './commands/appeals.js';
import type { ApprovalOptions } from './commands/approvals.js';
import { approveCodes, listCodes, proposeCodes } from './commands/codes.js';
import { coverage, type CoverageOptions } from './commands/coverage.js';
import { doctor } from './commands/doctor.js';
import type { CommonOptions } from './commands/common.js';
import { decideFlood, listFloods, type FloodOptions } from './commands/floods.js';
import { importFile } from './commands/import.js';
import {
  addKey,
  approveKeys,
  generateKey,
  revokeKey,
  type KeyAdditionOptions,
  type KeyGenerationOptions,
  type KeyRevocationOptions,
} from './commands/keys.js';
import { showEntity, whyNot, type EntityReadOptions } from './commands/entities.js';
import { listKeys } from './commands/keys-list.js';
import { listen, type ListenOptions } from './commands/listen.js';
import { exportLog, verify, type ExportOptions, type VerifyOptions } from './commands/log.js';
import { checkProof, type ProofOptions } from './commands/log-proof.js';
import { publish, type PublishOptions } from './commands/publish.js';
import { reconcile, type ReconcileOptions } from './commands/reconcile.js';
import {
  approveReview,
  decideReview,
  listReviews,
  showReview,
  undoReview,
  type ReviewDecisionOptions,
  type ReviewListOptions,
  type ReviewReadOptions,
} from './commands/reviews.js';
import { screenFile, type ScreenFileOptions } from './commands/screen-file.js';
import { screen, type ScreenOptions } from './commands/screen.js';
import { tail, type TailOptions } from './commands/tail.js';
import { token, type TokenOptions } from './commands/token.js';
import { witness, type WitnessOptions } from './commands/witness.js';
import type { Context } from './context.js';
import { EXIT, EXIT_MEANINGS, type ExitCode } from './exit-codes.js';
import { table } from './layout.js';
import type { ImportOptions } from './import/run-import.js';

type Finish = (code: ExitCode) => void;

/** The command line: what there is, what each option means; `finish` hears the exit code of the command that ran. */
export function programOf(context: Context, finish: Finish): Command {
  const t = context.t.bind(context);
  const program = new Command('liandun')
    .description(t('Liandun: one delisting, all shops closed.', '联盾：一处清退、处处关店。'))
    .option('--lang <lang>', t('en or zh; by default as LANG says', 'en 或 zh；默认取自 LANG'))
    .hook('preAction', (_program, command) => {
      const { ca, sign } = command.opts<{ ca?: string; sign?: boolean }>();
      context.trust(ca);
      context.signAll(sign);
    })
    .helpCommand(false)
    .addHelpText('after', `\n${exitCodesText(context)}\n\n${environmentText(context)}`);
  const settings = new Settings(program, context, finish);
  addPublish(settings);
  addImport(settings);
  addScreen(settings);
  addTail(settings);
  addListen(settings);
  addCoverage(settings);
  addEntities(settings);
  addReviews(settings);
  addAppeals(settings);
  addCodes(settings);
  addKeys(settings);
  addFloods(settings);
  addReconcile(settings);
  addLog(settings);
  addWitness(settings);
  addToken(settings);
  settings
    .command('doctor', t('check every part, and say what to do', '检查各部件，并给出处理建议'))
    .action(settings.run((options: CommonOptions) => doctor(context, options)));
  program
    .command('help [topic]')
    .description(t('help on a command, or on exit-codes', '查看命令或 exit-codes 的帮助'))
    .action((topic?: string) => help(context, program, topic));
  const commands = program.commands.flatMap((command) => [command, ...command.commands]);
  for (const command of [program, ...commands]) settings.dress(command);
  return program;
}

function help(context: Context, program: Command, topic: string | undefined): void {
  if (topic === 'exit-codes') return context.print(exitCodesText(context));
  const command = program.commands.find((candidate) => candidate.name() === topic);
  context.print((command ?? program).helpInformation().trimEnd());
}

function exitCodesText(context: Context): string {
  const names = Object.keys(EXIT) as (keyof typeof EXIT)[];
  const rows = names.map((name) => [`  ${EXIT[name]}`, context.t(...EXIT_MEANINGS[name])]);
  return `${context.t('Exit codes:', '退出码：')}\n${table(rows)}`;
}

function environmentText(context: Context): string {
  return [
    context.t(
      'Environment (by default from .liandun/env, which npm start writes):',
      '环境变量（默认取自 npm start 写入的 .liandun/env）：',
    ),
    table([
      ['  LIANDUN_URL', context.t('address of the ledger', '账本地址')],
      [
        '  <MEMBER>_KEY',
        context.t("path of a member's private key, e.g. PLATFORM_A_KEY", '成员私钥文件路径，如 PLATFORM_A_KEY'),
      ],
      ['  LIANDUN_MEMBER', context.t('the member, where --as is not given', '未给出 --as 时的成员')],
      ['  LOG_VKEY', context.t("the log's verifier key", '日志的验证公钥')],
      [
        '  LIANDUN_WITNESSES',
        context.t(
          'the trust policy, where neither --policy nor --vkey is given',
          '未给出 --policy 与 --vkey 时的信任策略',
        ),
      ],
      ['  KAFKA_BROKERS', context.t('for doctor: host:port', '供 doctor 使用：host:port')],
      ['  KAFKA_SECURITY_PROTOCOL', context.t('SASL_SSL or SASL_PLAINTEXT', 'SASL_SSL 或 SASL_PLAINTEXT')],
      ['  LIANDUN_SIGN', context.t('1: sign what is published', '1：对发布的事件签名')],
      ['  LIANDUN_CA', context.t('the file, where --ca is not given', '未给出 --ca 时的 CA 文件')],
    ]),
  ].join('\n');
}

/** A command as it is typed: `liandun keys add`. */
const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : 'liandun';

/** What all commands have in common. */
class Settings {
  readonly program: Command;
  readonly context: Context;
  readonly #finish: Finish;

  constructor(program: Command, context: Context, finish: Finish) {
    this.program = program;
    this.context = context;
    this.#finish = finish;
  }

  /** A command with `--as`, `--json` and `--lang`. */
  command(nameAndArguments: string, description: string, asText?: string, parent = this.program): Command {
    const t = this.context.t.bind(this.context);
    return parent
      .command(nameAndArguments)
      .description(description)
      .option('--as <member>', asText ?? t('as which member, e.g. platform-a', '以哪个成员的身份，如 platform-a'))
      .option('--ca <file>', t("authority of the ledger's certificate (PEM)", '账本证书的签发 CA（PEM）'))
      .option('--json', t('JSON for programs', '输出 JSON，供程序使用'))
      .addOption(new Option('--lang <lang>').hideHelp());
  }

  /** An action whose result is the exit code; it gets the arguments and then the options. */
  run(action: (...values: never[]) => Promise<ExitCode>): (...values: unknown[]) => Promise<void> {
    // Commander adds the command itself as the last value.
    return async (...values) => this.#finish(await action(...(values.slice(0, -1) as never[])));
  }

  /** Language, width and destination of help and errors. */
  dress(command: Command): void {
    const { stdout, stderr } = this.context.around;
    const t = this.context.t.bind(this.context);
    const titles: Record<string, string> = {
      'Usage:': '用法：',
      'Options:': '选项：',
      'Commands:': '命令：',
      'Arguments:': '参数：',
    };
    command
      .helpOption('-h, --help', t('this help', '显示帮助'))
      .exitOverride()
      .configureHelp({
        displayWidth: (text) => stringWidth(text),
        helpWidth: Math.min(stdout.columns ?? 80, 100),
        optionDescription: (option) => optionText(this.context, option),
        styleTitle: (title) => t(title, titles[title] ?? title),
      })
      .configureOutput({
        writeOut: (text) => void stdout.write(text),
        writeErr: (text) => void stderr.write(this.context.lang === 'zh' ? chinese(text) : text),
        getOutHelpWidth: () => Math.min(stdout.columns ?? 80, 100),
        getErrHelpWidth: () => Math.min(stderr.columns ?? 80, 100),
      })
      .showHelpAfterError(t(`See ${pathOf(command)} --help.`, `请看 ${pathOf(command)} --help。`));
  }
}

/** Commander's own description, its two English words in the user's language. */
const optionText = (context: Context, option: Option): string =>
  new Help()
    .optionDescription(option)
    .replace(/\((.*)choices:/, context.t('($1choices:', '（$1可选：'))
    .replace('default:', context.t('default:', '默认：'));

const ERRORS: [RegExp, string][] = [
  [/^error: unknown option '(.*)'/, "错误：未知选项 '$1'"],
  [/^error: unknown command '(.*)'/, "错误：未知命令 '$1'"],
  [/^error: missing required argument '(.*)'/, "错误：缺少参数 '$1'"],
  [/^error: required option '(.*)' not specified/, "错误：缺少必需选项 '$1'"],
  [/^error: option '(.*)' argument missing/, "错误：选项 '$1' 缺少值"],
  [/^error: too many arguments.*/, '错误：参数过多'],
  [/^error: option '(.*)' argument '(.*)' is invalid\.?/, "错误：选项 '$1' 的值 '$2' 无效。"],
  [/Allowed choices are (.*)\.$/m, '可选：$1。'],
  [/\(Did you mean (.*)\?\)/, '（是否为 $1？）'],
];

const chinese = (text: string): string => ERRORS.reduce((told, [pattern, zh]) => told.replace(pattern, zh), text);

const collect = (value: string, before: string[] = []): string[] => [...before, value];

function seq(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < -1) throw new InvalidArgumentError('a seq is a whole number from -1');
  return value;
}

function withIdentity(command: Command, { context }: Settings): Command {
  const t = context.t.bind(context);
  return command
    .addOption(new Option('--kind <kind>', t('kind of subject', '主体类型')).choices(SUBJECT_KINDS))
    .option('--name <name>', t('registered name', '登记名称'))
    .option('--uscc <code>', t('unified social credit code', '统一社会信用代码'))
    .option('--registration-number <number>', t('old 15-digit number', '15 位注册号'))
    .option('--resident-id <number>', t("the subject's own resident id", '主体本人的居民身份证号码'))
    .option('--phone <number>', t('phone (repeatable)', '电话（可重复）'), collect)
    .option('--email <address>', t('mail address (repeatable)', '邮箱（可重复）'), collect)
    .option('--bank-account <number>', t('bank account (repeatable)', '银行账号（可重复）'), collect)
    .option('--address <text>', t('address', '地址'))
    .option('--region <code>', t('region code (GB/T 2260)', '行政区划代码（GB/T 2260）'))
    .option(
      '--identity <file>',
      t('or the whole identity as JSON; - is stdin', '或以 JSON 给出全部身份信息；- 为标准输入'),
    );
}

/** Why it is read: only regulators are asked, and those must say it. */
function readingByRegulator(command: Command, { context }: Settings): Command {
  return command
    .option('--purpose <text>', context.t('why a regulator reads; it is logged', '监管端的查阅目的；将被记录'))
    .option('--case <no>', context.t('and its case number; it is logged', '及案号；将被记录'));
}

/** A regulator's act takes the options of its reads: the act itself is logged, its purpose need not be. */
function actingByRegulator(command: Command, { context }: Settings): Command {
  return command
    .option('--purpose <text>', context.t('not needed: the act itself is logged', '无需：操作本身即被记录'))
    .requiredOption('--case <no>', context.t('case number; it is logged', '案号；将被记录'));
}

const SIGN = ["sign with the member's key, so that nobody can deny it", '以成员密钥签名，不可抵赖'] as const;

function addPublish(settings: Settings): void {
  const t = settings.context.t.bind(settings.context);
  const command = settings.command(
    'publish [file]',
    t(
      'publish events: a CloudEvent, a JSON array, NDJSON, stdin, or one from options',
      '发布事件：单个 CloudEvent、JSON 数组、NDJSON、标准输入，或由选项生成',
    ),
  );
  command
    .option('--report <merchantId>', t('report a merchant', '报送商户'))
    .option('--delist <merchantId>', t('delist a merchant', '清退商户'))
    .option('--reinstate <eventId>', t("reinstate: the delisting's id", '恢复：原清退事件的 id'))
    .option('--notified <eventId>', t('its subject was told: the id of the case', '已告知主体：案件的 id'))
    .option('--id <id>', t('id of the event; new unless given', '事件 id；默认新生成'))
    .option('--sign', t(...SIGN))
    .option('--dry-run', t('print the events, send nothing', '只输出事件，不发送'))
    .option('--preview', t('ask what the ledger would answer', '试算：联盾将如何回执，不存储'));
  withIdentity(command, settings)
    .option('--shop <id|name|url>', t('a shop (repeatable)', '店铺（可重复）'), collect)
    .option('--closed', t('report: no longer active', '报送：已停止经营'))
    .option('--reason <code>', t('delist: reason code, e.g. E01', '清退：事由代码，如 E01'))
    .option('--standard <standard>', t('delist: platformFinding unless given', '清退：证明标准，默认 platformFinding'))
    .option('--decision-no <no>', t('number of the official decision', '官方决定文号'))
    .option(
      '--evidence <file>',
      t('evidence (repeatable); only its hash is sent', '证据文件（可重复）；只发送哈希'),
      collect,
    )
    .option('--attest', t('attest grounds, evidence, code and termination', '声明理由、证据、代码与终止均属实'))
    .option('--decided-at <time>', t('time of the decision; now unless given', '决定时间；默认现在'))
    .option('--decided-by <id>', t("the deciding person's opaque id", '决定人的内部编号'))
    .option('--appeal-url <url>', t('where to appeal', '申诉地址'))
    .option('--expires-at <time>', t('end of the listing', '到期时间'))
    .option('--urgency <kind>', t('fraud or danger', 'fraud 或 danger'))
    .option('--emergency <name,from,to>', t('with F04 and C06', '用于 F04、C06'))
    .option(
      '--hearing <notified,ended,answer>',
      t('hearing; answer: none or considered', '听取意见；answer 为 none 或 considered'),
    )
    .option('--item-rule <rule>', t('with B06', '用于 B06'))
    .option('--cause <cause>', t('reinstate: cause, e.g. wrongIdentity', '恢复：原因，如 wrongIdentity'))
    .option('--notified-at <time>', t('notified: when; now unless given', '告知：时间，默认为当前'))
    .action(
      settings.run((file: string | undefined, options: PublishOptions) => publish(settings.context, file, options)),
    );
}

function addImport(settings: Settings): void {
  const t = settings.context.t.bind(settings.context);
  settings
    .command(
      'import <file>',
      t('report every row of a CSV or JSONL(.gz) as a merchant', '将 CSV 或 JSONL(.gz) 的每一行报送为商户'),
    )
    .option('--sign', t(...SIGN))
    .option(
      '--by-member <map>',
      t(
        'p1=platform-a,p2=platform-b,… by the memberId of the row',
        '按行中的 memberId 分配：p1=platform-a,p2=platform-b,…',
      ),
    )
    .addOption(
      new Option('--kind <kind>', t('kind, where no column says it', '主体类型（文件无此列时）')).choices(
        SUBJECT_KINDS,
      ),
    )
    .option('--map <heading=field>', t('what a column means (repeatable)', '指定列的含义（可重复）'), collect)
    .addOption(
      new Option('--encoding <name>', t('instead of detecting it', '不自动识别编码')).choices(['utf-8', 'gb18030']),
    )
    .option(
      '--reported-at <date>',
      t('for rows without a date; else the date of the file', '无日期的行使用此日期；默认取文件日期'),
    )
    .option(
      '--drop-invalid',
      t('leave out invalid optional fields instead of having the row refused', '舍弃无效的可选字段，而不是整行被拒绝'),
    )
    .option(
      '--rejected <file>',
      t(
        'where refused rows go; <file>.rejected.csv or .jsonl',
        '被拒绝的行写入何处；默认 <file>.rejected.csv 或 .jsonl',
      ),
    )
    .option('--restart', t('forget an unfinished import of this file', '放弃此前未完成的导入，重新开始'))
    .option('--dry-run', t('show how the file is understood, send nothing', '只显示对文件的理解，不发送'))
    .action(
      settings.run((file: string, options: ImportOptions & CommonOptions) =>
        importFile(settings.context, file, options),
      ),
    );
}

function addScreen(settings: Settings): void {
  const t = settings.context.t.bind(settings.context);
  withIdentity(
    settings.command(
      'screen [file]',
      t(
        'ask whether a merchant, or each of a CSV or NDJSON file, is listed',
        '入驻前查询主体（或 CSV、NDJSON 文件中的每一个）是否被列入',
      ),
    ),
    settings,
  )
    .addOption(
      new Option('--purpose <purpose>', t('why you ask', '查询用途'))
        .choices(['onboarding', 'compliance'])
        .default('onboarding'),
    )
    .option('--exit-code', t('exit 10 for possible, 11 for listed', '疑似退出码 10，已列入 11'))
    .option('--out <file>', t('answers; beside the file by default', '结果文件；默认置于原文件旁'))
    .option('--map <pair...>', t("'Heading=column' of the file", '文件的 列名=字段'))
    .addOption(new Option('--encoding <encoding>', t('of the file', '文件编码')).choices(['utf-8', 'gb18030']))
    .option('--restart', t('forget a stopped run', '放弃上次中断的进度'))
    .action(
      settings.run((file: string | undefined, options: ScreenOptions & ScreenFileOptions) =>
        file === undefined ? screen(settings.context, options) : screenFile(settings.context, file, options),
      ),
    );
}

function addListen(settings: Settings): void {
  const t = settings.context.t.bind(settings.context);
  settings
    .command(
      'listen',
      t('post notices to a URL as webhooks, for development', '开发用：将通知以 webhook 形式转发到指定地址'),
    )
    .requiredOption(
      '--forward-to <url>',
      t('where to post, e.g. http://127.0.0.1:3000/', '转发地址，如 http://127.0.0.1:3000/'),
    )
    .option('--after <seq>', t('only notices after this seq', '仅转发该序号之后的通知'), seq, -1)
    .option('--key <file>', t('keeps the key; made if missing', '保存签名密钥的文件；不存在时新建'))
    .action(settings.run((options: ListenOptions) => listen(settings.context, options)));
}

function addTail(settings: Settings): void {
  const t = settings.context.t.bind(settings.context);
  settings
    .command('tail', t('notices, as they come', '实时查看通知'))
    .option('--after <seq>', t('only those after this seq', '只显示此序号之后的'), seq, -1)
    .option('--no-follow', t('end with the last one that is there', '显示已有的通知后结束'))
    .action(settings.run((options: TailOptions) => tail(settings.context, options)));
}

function addCoverage(settings: Settings): void {
  const t = settings.context.t.bind(settings.context);
  readingByRegulator(
    settings.command(
      'coverage <listingId>',
      t('who was told of a listing and what they did (regulators)', '某次列入通知了谁、各自如何处置（监管端）'),
      t('as which regulator', '以哪个监管端的身份'),
    ),
    settings,
  ).action(
    settings.run((listingId: string, options: CoverageOptions) => coverage(settings.context, listingId, options)),
  );
}

function addEntities(settings: Settings): void {
  const { context } = settings;
  const t = context.t.bind(context);
  const entities = settings.program
    .command('entities')
    .description(t('what the ledger takes for one merchant: show, why-not', '联盾认定的主体：查看、为何不同'))
    .helpCommand(false);
  readingByRegulator(
    settings.command(
      'show <entityId>',
      t('its records, listings and relations', '其记录、列名与关联'),
      t('regulator or platform', '监管端或平台'),
      entities,
    ),
    settings,
  ).action(settings.run((entityId: string, options: EntityReadOptions) => showEntity(context, entityId, options)));
  settings
    .command(
      'why-not <entityId> <other>',
      t('why two entities are not one merchant', '两个主体为何不是同一商户'),
      t('as which regulator', '以哪个监管端的身份'),
      entities,
    )
    .option('--purpose <text>', t('why you read; it is logged', '查阅目的；将被记录'))
    .option('--case <no>', t('case number; it is logged', '案号；将被记录'))
    .action(
      settings.run((entityId: string, other: string, options: EntityReadOptions) =>
        whyNot(context, entityId, other, options),
      ),
    );
}

function addReviews(settings: Settings): void {
  const { context } = settings;
  const t = context.t.bind(context);
  const reviews = settings.program
    .command('reviews')
    .description(t('who is who: pairs that a person has to look at (regulators)', '主体认定复核（监管端）'))
    .helpCommand(false);
  const command = (name: string, en: string, zh: string): Command =>
    settings.command(name, t(en, zh), t('as which regulator', '以哪个监管端的身份'), reviews);
  const reading = (made: Command): Command => readingByRegulator(made, settings);
  const deciding = (made: Command, grounds: readonly string[]): Command =>
    actingByRegulator(made, settings)
      .addOption(new Option('--ground <ground>', t('on what it rests', '依据')).choices(grounds).makeOptionMandatory())
      .requiredOption('--reviewer <id>', t("the deciding person's opaque id", '决定人的内部编号'))
      .option(
        '--evidence <file>',
        t('evidence (repeatable); only its hash is sent', '证据文件（可重复）；只发送哈希'),
        collect,
      );
  reading(command('list', 'what is undecided, weightiest first', '待办队列，影响大者在前'))
    .option('--limit <n>', t('how many at most', '最多条数'), seq, 20)
    .action(settings.run((options: ReviewListOptions) => listReviews(context, options)));
  reading(command('show <reviewId>', 'one pair, with all that speaks for it', '一对实体及全部依据')).action(
    settings.run((reviewId: string, options: ReviewReadOptions) => showReview(context, reviewId, options)),
  );
  const decide = command('decide <reviewId>', 'decide on a pair', '对一对实体作出决定').addArgument(
    new Argument('<decision>', t('what they are', '决定')).choices(REVIEW_DECISIONS),
  );
  deciding(decide, Object.keys(REVIEW_GROUNDS))
    .option('--expires-at <time>', t('with unsure: until when', '用于 unsure：有效期至'))
    .action(
      settings.run((reviewId: string, decision: string, options: ReviewDecisionOptions) =>
        decideReview(context, reviewId, decision, options),
      ),
    );
  deciding(command('undo <reviewId>', 'undo a decision', '撤销决定'), Object.keys(UNDO_GROUNDS)).action(
    settings.run((reviewId: string, options: ReviewDecisionOptions) => undoReview(context, reviewId, options)),
  );
  command('approve <approvalId>', "approve another regulator's proposal", '审批另一监管成员的决定')
    .requiredOption('--reviewer <id>', t("the second person's opaque id", '第二人的内部编号'))
    .option('--refuse', t('refuse it instead', '改为拒绝'))
    .action(
      settings.run((approvalId: string, options: ApprovalOptions) => approveReview(context, approvalId, options)),
    );
}

function addCodes(settings: Settings): void {
  const { context } = settings;
  const t = context.t.bind(context);
  const codes = settings.program
    .command('codes')
    .description(t('reason codes: the table in force, changed by two persons', '事由代码：现行表及其双人变更'))
    .helpCommand(false);
  const command = (name: string, en: string, zh: string, as: [string, string]): Command =>
    settings.command(name, t(en, zh), t(...as), codes);
  const proposer: [string, string] = ['as which administrator or regulator', '以哪个管理员或监管端的身份'];
  command('list', 'the table in force', '现行事由代码表', ['as which member', '以哪个成员的身份']).action(
    settings.run((options: CommonOptions) => listCodes(context, options)),
  );
  command(
    'propose <file>',
    'propose changed or new rows: JSON or CSV',
    '提议变更或新增的行：JSON 或 CSV',
    proposer,
  ).action(settings.run((file: string, options: CommonOptions) => proposeCodes(context, file, options)));
  command('approve <approvalId>', "approve another's proposal", '审批他人的提议', proposer)
    .option('--refuse', t('refuse it instead', '改为拒绝'))
    .action(settings.run((approvalId: string, options: ApprovalOptions) => approveCodes(context, approvalId, options)));
}

function addAppeals(settings: Settings): void {
  const { context } = settings;
  const t = context.t.bind(context);
  const appeals = settings.program
    .command('appeals')
    .description(
      t(
        'appeals against listings: list, show, decide, stay, deadline, malice',
        '对列名的申诉：查阅、决定、暂停、期限、恶意认定',
      ),
    )
    .helpCommand(false);
  const command = (name: string, en: string, zh: string): Command =>
    settings.command(name, t(en, zh), t('publisher or regulator', '列名方或监管端'), appeals);
  const reading = (made: Command): Command => readingByRegulator(made, settings);
  reading(command('list', 'what is undecided', '待决申诉，期限早者在前'))
    .option('--all', t('decided ones too', '含已决定者'))
    .option('--limit <n>', t('how many at most', '最多条数'), seq, 20)
    .action(settings.run((options: AppealListOptions) => listAppeals(context, options)));
  reading(command('show <appealId>', 'one, with its words', '单个申诉及其陈述与证据')).action(
    settings.run((appealId: string, options: AppealReadOptions) => showAppeal(context, appealId, options)),
  );
  const deciding = (made: Command): Command =>
    made
      .option('--purpose <text>', t('not needed: the act itself is logged', '无需：操作本身即被记录'))
      .option('--case <no>', t('not needed: the act itself is logged', '无需：操作本身即被记录'));
  deciding(command('decide <appealId>', 'decide, with reasons', '作出决定并附书面理由'))
    .addArgument(new Argument('<decision>', t('on the listing', '对列名的决定')).choices(APPEAL_DECISIONS))
    .requiredOption('--reasons <file>', t('the written reasons', '书面理由文件'))
    .requiredOption(
      '--reviewer <id>',
      t('opaque id of who decides; not who decided on the listing', '复核人的内部编号；不得为原决定人'),
    )
    .addOption(new Option('--cause <cause>', t('with overturned: why', '用于 overturned：原因')).choices(CAUSES))
    .option('--expires-at <time>', t('with corrected: the earlier end', '用于 corrected：提前后的到期时间'))
    .action(
      settings.run((appealId: string, decision: string, options: AppealDecideOptions) =>
        decideAppeal(context, appealId, decision, options),
      ),
    );
  deciding(command('stay <appealId>', 'suspend the listing meanwhile', '在决定作出前于各平台暂停执行列名'))
    .requiredOption('--reasons <file>', t('written reasons; - reads standard input', '书面理由文件；- 表示标准输入'))
    .requiredOption('--reviewer <id>', t("the deciding person's opaque id", '决定人的内部编号'))
    .action(settings.run((appealId: string, options: AppealDecideOptions) => stayAppealed(context, appealId, options)));
  actingByRegulator(command('deadline <appealId>', 'change its deadline (regulators)', '变更期限（监管端）'), settings)
    .addArgument(new Argument('<action>', t('what to do', '操作')).choices(DEADLINE_ACTIONS))
    .addOption(
      new Option('--reason <reason>', t('with pause, extend: why', '用于 pause、extend：事由')).choices(
        Object.keys(DEADLINE_REASONS),
      ),
    )
    .option('--days <n>', t('with extend: by how many days', '用于 extend：延长日数'), seq)
    .requiredOption('--reviewer <id>', t("the deciding person's opaque id", '决定人的内部编号'))
    .action(
      settings.run((appealId: string, action: string, options: AppealDeadlineOptions) =>
        changeAppealDeadline(context, appealId, action, options),
      ),
    );
  actingByRegulator(command('malice <listingId>', 'find it malicious (regulators)', '认定恶意报送（监管端）'), settings)
    .requiredOption('--reasons <file>', t('the written reasons', '书面理由文件'))
    .requiredOption(
      '--reviewer <id>',
      t('opaque id of who finds it; not who ended the listing', '认定人的内部编号；不得为决定终止的人'),
    )
    .action(settings.run((listingId: string, options: MaliceOptions) => findMalice(context, listingId, options)));
}

function addFloods(settings: Settings): void {
  const { context } = settings;
  const t = context.t.bind(context);
  const floods = settings.program
    .command('floods')
    .description(t("what is held over a publisher's limits", '超出发布方限额而暂缓的记录'))
    .helpCommand(false);
  const command = (name: string, en: string, zh: string): Command =>
    readingByRegulator(
      settings.command(name, t(en, zh), t('administrator or regulator', '管理员或监管端'), floods),
      settings,
    );
  command('list', 'what is held, by publisher', '按发布方列出').action(
    settings.run((options: FloodOptions) => listFloods(context, options)),
  );
  for (const [decision, en, zh] of [
    ['release', 'let it out', '放行'],
    ['refuse', 'refuse it: nobody is told', '拒绝，不通知任何成员'],
  ] as const)
    command(`${decision} <member>`, en, zh).action(
      settings.run((member: string, options: FloodOptions) => decideFlood(context, member, decision, options)),
    );
}

function addKeys(settings: Settings): void {
  const { context } = settings;
  const t = context.t.bind(context);
  const keys = settings.program
    .command('keys')
    .description(t("members' keys: list, make, add, revoke", '成员密钥：查看、生成、添加、吊销'))
    .helpCommand(false);
  const command = (name: string, en: string, zh: string): Command =>
    settings.command(name, t(en, zh), t('as which administrator', '以哪个管理员的身份'), keys);
  settings
    .command('generate', t('make a key pair here', '在本机生成密钥对'), t('not needed', '无需'), keys)
    .requiredOption('--kid <id>', t("the key's id", '密钥编号'))
    .requiredOption('--out <file>', t('where the private half goes (JWK)', '私钥写入的文件（JWK）'))
    .addOption(
      new Option('--alg <alg>', t('signature algorithm', '签名算法')).choices(['EdDSA', 'ES256']).default('EdDSA'),
    )
    .action(settings.run((options: KeyGenerationOptions) => generateKey(context, options)));
  settings
    .command(
      'list [member]',
      t("a member's keys; else your own, or everybody's", '某成员的密钥；默认为自己的，管理员为全部'),
      t('administrator, or the member itself', '管理员或成员自己'),
      keys,
    )
    .action(settings.run((member: string | undefined, options: CommonOptions) => listKeys(context, member, options)));
  command('add <member>', 'add a key of a member', '为成员添加密钥')
    .requiredOption('--key <file>', t('its JWK; only the public half is sent', '其 JWK 文件；仅发送公钥'))
    .action(settings.run((member: string, options: KeyAdditionOptions) => addKey(context, member, options)));
  command('revoke <member> <kid>', 'revoke a key of a member', '吊销成员的密钥')
    .option('--emergency', t('it stops at once, and is confirmed afterwards', '立即停用，事后确认'))
    .action(
      settings.run((member: string, kid: string, options: KeyRevocationOptions) =>
        revokeKey(context, member, kid, options),
      ),
    );
  command('approve <approvalId>', "approve another administrator's request", '审批另一管理员的请求')
    .option('--refuse', t('refuse it instead', '改为拒绝'))
    .action(settings.run((approvalId: string, options: ApprovalOptions) => approveKeys(context, approvalId, options)));
}

function addToken(settings: Settings): void {
  const t = settings.context.t.bind(settings.context);
  settings
    .command('token', t('an access token, for curl or a Kafka client', '获取访问令牌，供 curl 或 Kafka 客户端使用'))
    .addOption(
      new Option('--audience <audience>', t('what it opens', '用于何处'))
        .choices(['liandun', 'liandun-kafka'])
        .default('liandun'),
    )
    .action(settings.run((options: TokenOptions) => token(settings.context, options)));
}

function addLog(settings: Settings): void {
  const { context } = settings;
  const t = context.t.bind(context);
  const log = settings.program.command('log').description(t('the verifiable log', '可验证日志'));
  const trusting = (command: Command): Command =>
    command
      .option('--vkey <key>', t("the log's verifier key; LOG_VKEY unless given", '日志的验证公钥；默认取自 LOG_VKEY'))
      .option('--policy <file>', t('or a trust policy with witnesses (C2SP)', '或带见证方的信任策略（C2SP）'));
  const withSource = (command: Command): Command =>
    trusting(
      command.option(
        '--from <place>',
        t("a URL or a folder; the ledger's own log unless given", 'URL 或文件夹；默认为账本的日志'),
      ),
    ).option('--token-of <member>', t('the regulator whose token opens the entries', '以哪个监管成员的令牌读取记录'));
  const command = (name: string, en: string, zh: string): Command => settings.command(name, t(en, zh), undefined, log);
  withSource(command('verify', 'check every entry, tile and checkpoint', '核对全部记录、分片与检查点'))
    .option('--checkpoint <file>', t('an older one that you kept (repeatable)', '此前保存的检查点（可重复）'), collect)
    .action(settings.run((options: VerifyOptions) => verify(context, options)));
  withSource(command('export', 'write a folder that any web server can serve', '导出可由任意网站服务器提供的文件夹'))
    .requiredOption('--out <folder>', t('where to', '写入何处'))
    .action(settings.run((options: ExportOptions) => exportLog(context, options)));
  trusting(
    settings.command(
      'proof <entry> [proof]',
      t('check offline that an entry is in the log (tlog-proof)', '离线核对记录确在日志中（tlog-proof）'),
      t('not needed', '无需'),
      log,
    ),
  ).action(
    settings.run((entry: string, proof: string | undefined, options: ProofOptions) =>
      checkProof(context, entry, proof, options),
    ),
  );
}

function addWitness(settings: Settings): void {
  const { context } = settings;
  const t = context.t.bind(context);
  settings
    .command(
      'witness',
      t('run a witness: cosign a log, refuse its forks', '运行见证方：联署日志的检查点，拒绝分叉'),
      t('not needed', '无需'),
    )
    .option('--key <file>', t('its own key, made where missing', '自己的密钥，不存在则创建'), 'witness.jwk')
    .option('--store <file>', t('what it has cosigned', '已联署的记录'), 'witness.db')
    .option('--listen <address>', t('HOST:PORT', '主机:端口'), '127.0.0.1:7380')
    .option(
      '--log <vkey>',
      t('a log that it trusts (repeatable); LOG_VKEY unless given', '所信任的日志（可重复）；默认取自 LOG_VKEY'),
      collect,
    )
    .option(
      '--name <name>',
      t('the name of a new key, e.g. platform-a.example/w1', '新密钥的名称，如 platform-a.example/w1'),
    )
    .option('--tls-cert <file>', t('certificate, outside loopback', '证书（本机回环地址之外必需）'))
    .option('--tls-key <file>', t('and its key', '证书的私钥'))
    .action(settings.run((options: WitnessOptions) => witness(context, options)));
}

function addReconcile(settings: Settings): void {
  const t = settings.context.t.bind(settings.context);
  settings
    .command(
      'reconcile <file>',
      t(
        'find out which records of a JSONL(.gz) are the same merchant, on this machine',
        '在本机归并 JSONL(.gz) 中属于同一主体的记录',
      ),
      t('not needed', '无需'),
    )
    .requiredOption(
      '--out <file>',
      t('recordId<TAB>entityId, a line for each record', '每条记录一行：recordId<TAB>entityId'),
    )
    .option('--explain <file>', t('the reasons, as JSONL', '理由，JSONL 格式'))
    .option('--why-not <a,b>', t('why these two records are not one merchant', '这两条记录为何不是同一主体'))
    .action(settings.run((file: string, options: ReconcileOptions) => reconcile(settings.context, file, options)));
}
