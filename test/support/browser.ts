import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';

const folderOf = (specifier: string): string => dirname(fileURLToPath(import.meta.resolve(specifier)));

/** Chromium, its libraries and a Chinese font, all from npm: nothing has to be installed on the machine. */
export async function launchBrowser(): Promise<Browser> {
  const root = new URL('../../node_modules/', import.meta.url);
  const { version } = JSON.parse(await readFile(new URL('@sparticuz/chromium/package.json', root), 'utf8')) as {
    version: string;
  };
  // Of its own for each version and user: an older one's is taken up otherwise.
  const home = join(tmpdir(), `liandun-chromium-${version}-${process.getuid?.() ?? 0}`);
  await mkdir(home, { recursive: true });
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = home;
  try {
    const { default: chromium, inflate } = await import('@sparticuz/chromium');
    const { chromium: playwright } = await import('playwright-core');
    const executablePath = await chromium.executablePath();
    const bin = join(folderOf('@sparticuz/chromium'), '../bin');
    const libraries = join(await inflate(join(bin, 'al2023.tar.br')), 'lib');
    const fonts = fileURLToPath(new URL('@embedpdf/fonts-sc/fonts', root));
    await writeFile(
      join(home, 'fonts.conf'),
      `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${fonts}</dir><dir>${home}/fonts</dir><cachedir>${home}/fontcache</cachedir></fontconfig>`,
    );
    return await playwright.launch({
      executablePath,
      headless: true,
      args: ['--no-sandbox', '--no-zygote', '--disable-gpu', '--font-render-hinting=none', '--headless=shell'],
      env: { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: join(home, 'fonts.conf') },
    });
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}
