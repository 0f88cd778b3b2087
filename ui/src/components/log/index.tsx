/** The viewer of logs, whoever writes them. */
export { LogView } from './LogView';
