import type { FastifyRequest } from 'fastify';
import { timeMs } from '@liandun/contracts';
import { refuseField } from './problems.js';

const LIMIT_MAX = 1_000;
const LIMIT_DEFAULT = 100;
/** Any text; empty, it is as if it were absent. What has a form of its own can't be empty. */
const TEXT = /^[^\p{Cc}]{1,256}$/u;

/** One value of the query string; undefined where it is absent. Given twice it is refused. */
export function textOf({ query }: FastifyRequest, name: string, pattern: RegExp = TEXT): string | undefined {
  const value = (query as Record<string, unknown>)[name];
  if (value === undefined || (value === '' && pattern === TEXT)) return undefined;
  if (typeof value !== 'string' || !pattern.test(value))
    throw refuseField('INVALID_REQUEST', `/query/${name}`, 'INVALID_FORMAT');
  return value;
}

/** A numeric cursor: what lies after it is asked for; -1, or absent, is from the start. */
export function cursorOf(request: FastifyRequest, name: string): number {
  const { query } = request;
  const value = (query as Record<string, unknown>)[name];
  if (value === undefined || value === '') return -1;
  if (typeof value !== 'string' || !/^(-1|\d{1,15})$/.test(value))
    throw refuseField('CURSOR_INVALID', `/query/${name}`);
  return Number(value);
}

/** How many items of a list are wanted: 100 unless told, 1,000 at most. */
export function limitOf(request: FastifyRequest): number {
  const text = textOf(request, 'limit', /^[1-9]\d{0,5}$/);
  return text === undefined ? LIMIT_DEFAULT : Math.min(Number(text), LIMIT_MAX);
}

/** An RFC 3339 time of the query string. Its `+` must come as %2B; a blank in its place is taken for it. */
export function timeOf(request: FastifyRequest, name: string): string | undefined {
  const text = textOf(request, name, /^\d[\d:. T+Zz-]{1,40}$/i)?.replace(' ', '+');
  if (text !== undefined && timeMs(text) === undefined)
    throw refuseField('INVALID_REQUEST', `/query/${name}`, 'INVALID_FORMAT');
  return text;
}
