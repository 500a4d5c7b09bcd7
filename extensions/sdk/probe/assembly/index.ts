import "./probe";
