import "./background";
import "./http";
import "./tcp";
