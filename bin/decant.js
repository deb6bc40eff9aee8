#!/usr/bin/env node
import { main } from '../dist/pipeline/cli.js';

await main(process.argv.slice(2));
