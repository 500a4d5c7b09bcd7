import "./callouts";
import "./connections";
import "./jobs";
import "./mark";
