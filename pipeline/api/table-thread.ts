import { answerQuestions } from '../../data/thread.ts';
import { tableDesk } from './table-desk.ts';

answerQuestions(tableDesk());
