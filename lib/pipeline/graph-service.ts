/** The service by which workers reach graphs, which the coordinator's process owns; its methods are the graphs' names. */
export const GRAPH_SERVICE = 'graph';
