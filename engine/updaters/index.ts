import { cpuEngine } from '../engines/cpu/engine.ts';
import type { TrainRequest } from '../train-request.ts';
import type { TrainingPlan } from '../training-plan.ts';
import type { Updater } from '../updater.ts';
import { DeviceUpdater } from './device.ts';
import { HostUpdater } from './host.ts';

/** Moves weights where the engine does that best. */
export const openUpdater = (request: TrainRequest, plan: TrainingPlan): Updater => {
  const { engine = cpuEngine } = request;
  const Kind = engine.target.optimizer === 'host' ? HostUpdater : DeviceUpdater;
  return new Kind(engine, request, plan);
};
