/** The Worker's bindings, whose types of the Workers runtime do not go with Node's. */
type Env = object;
