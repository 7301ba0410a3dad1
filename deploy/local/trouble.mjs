/** Something that the person at the keyboard can put right: what is wrong and the remedy, in English and in Chinese. */
export class Trouble extends Error {
  /**
   * @param {string} english
   * @param {string} chinese
   */
  constructor(english, chinese) {
    super(`${english} · ${chinese}`);
  }
}

/**
 * What a system error means for the person who started us: a full disk, a folder of somebody else; undefined for others.
 * @param {unknown} error
 * @param {string} folder where the state lies
 */
export function troubleOf(error, folder) {
  const text = error instanceof Error ? `${error.code ?? ''} ${error.message}` : String(error);
  if (/ENOSPC|No space left on device/i.test(text)) {
    return new Trouble(
      `the disk of ${folder} is full: free at least 1 GB, or set LIANDUN_HOME to a folder on another disk`,
      `${folder} 所在磁盘已满：请至少释放 1 GB，或将 LIANDUN_HOME 设为其他磁盘上的文件夹`,
    );
  }
  if (/EACCES|EPERM|EROFS|Permission denied/i.test(text)) {
    return new Trouble(
      `no access to ${folder} (${text.trim()}): give this user the right to write there, or set LIANDUN_HOME to another folder`,
      `无法访问 ${folder}：请为当前用户授予写权限，或将 LIANDUN_HOME 设为其他文件夹`,
    );
  }
  return undefined;
}
