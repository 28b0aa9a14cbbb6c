#!/usr/bin/env node
/** The program `db_stress`. */
import { runAsProcess } from '../lib/tool-process.ts';
import { dbStress } from './db-stress.ts';

await runAsProcess(dbStress);
