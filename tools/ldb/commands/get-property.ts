/** `get_property`: what the engine tells of a family under one of RocksDB's names. */
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Prints `name: value`. */
export const getPropertyCommand: LdbCommand = {
  name: 'get_property',
  usage: 'get_property <property_name>',
  group: 'admin',
  formats: ['json'],
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 1) throw commandFailure('property name must be specified');
    const name = context.params[0]!;
    await using db = await context.openForRead();
    const value = context.family(db).getProperty(name);
    if (value === undefined) throw commandFailure(`failed to get property: ${name}`);
    context.out.line(context.json ? JSON.stringify({ name, value }) : `${name}: ${value}`);
  },
};
