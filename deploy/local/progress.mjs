import picocolors from 'picocolors';

// The library colours whatever runs under CI: only a terminal is meant here.
const pc = picocolors.createColors(process.stdout.isTTY ? !process.env.NO_COLOR : false);

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`.padStart(8);

const STEPS = {
  state: ['state folder', '状态文件夹'],
  waiting: ['waiting for the previous start to end', '等待上一次启动结束'],
  postgres: ['PostgreSQL', 'PostgreSQL'],
  kafka: ['Apache Kafka', 'Apache Kafka'],
  kafkaFirst: ['Apache Kafka (fetching it once)', 'Apache Kafka（首次获取）'],
  build: ['build', '构建'],
  buildSkipped: ['build (nothing changed)', '构建（无改动）'],
  witness: ['witness', '见证方'],
  migrate: ['migrations', '数据库迁移'],
  api: ['API', '接口服务'],
  worker: ['worker', '工作进程'],
  sandboxes: ['five sandbox platforms', '五个沙箱平台'],
  up: ['all up', '全部就绪'],
  stopping: ['stopping', '正在停止'],
  stopped: ['stopped', '已停止'],
};

/** `zh` or `en`: what was asked for, else what the terminal speaks. */
export function languageOf(asked, env = process.env) {
  if (asked === 'zh' || asked === 'en') return asked;
  return /^zh/i.test(env.LC_ALL || env.LC_MESSAGES || env.LANG || '') ? 'zh' : 'en';
}

/** Prints one line for each step that is done, with the time that it took. */
export class Progress {
  #column;
  #began = performance.now();

  /** @param {'zh' | 'en'} language */
  constructor(language) {
    this.#column = language === 'zh' ? 1 : 0;
  }

  /** Waits for the work of a step; its label may depend on what came out. */
  async step(name, work, labelOf = () => name) {
    const since = performance.now();
    const result = await work;
    this.done(labelOf(result), since);
    return result;
  }

  note(name, more = '') {
    this.#print(pc.dim('·'), '', name, more);
  }

  /** A step that began at `since` and is over; without it, the time since the start of everything. */
  done(name, since = this.#began) {
    this.#print(pc.green('✓'), seconds(since), name);
  }

  #print(mark, time, name, more = '') {
    console.log(`${mark} ${time.padStart(8)}  ${STEPS[name][this.#column]}${more && `: ${more}`}`);
  }
}
