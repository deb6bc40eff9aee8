#!/usr/bin/env node
import { launch } from '../dist/pipeline/guard/launch.js';

await launch(process.argv.slice(2));
