// The module is made of the classes with @filter that are reached from here.
import "./claims-router";
