/** Every text of this language: those of all pages at the top, those of one area below its name. */
import common from './common.json';
import containers from './containers.json';
import dashboard from './dashboard.json';
import experiments from './experiments.json';
import form from './form.json';
import images from './images.json';
import logs from './logs.json';
import pods from './pods.json';
import presets from './presets.json';
import results from './results.json';
import settings from './settings.json';
import tasks from './tasks.json';

export default {
  ...common,
  containers,
  dashboard,
  experiments,
  form,
  images,
  logs,
  pods,
  presetsPage: presets,
  results,
  settings,
  tasks,
};
