import type { Weights } from '../src/matcher/weights.js';

// Written by `npm run liandun -- weights`, frozen with the matcher `zh-1`; nobody labelled a pair. [share among pairs of one
// entity, among strangers (random pairs), among kin (pairs that blocking finds and identifiers tell apart)]. Shares that
// ASSUMED in learn.ts sets instead are there with their reasons.
export const WEIGHTS_1: Weights = {
  version: 'zh-1',
  populationBits: 20,
  kinBits: 0.5,
  levels: {
    legal: {
      account: {
        equal: [0.05, 9.54e-7, 0.004],
      },
      address: {
        building: [0.0378, 0.00000923, 0.0034],
        neighbour: [0.00745, 0.0064, 0.392],
        number: [0.261, 0.00000923, 0.0895],
        otherPlace: [0.0817, 0.994, 0.475],
        road: [0.266, 0.00000923, 0.1],
        room: [0.335, 0.00000923, 0.0245],
        sameRoad: [0.0108, 0.00000923, 0.00355],
      },
      bankAccount: {
        different: [0.158, 1, 0.977],
        equal: [0.827, 7.45e-9, 0.0232],
        masked: [0.0148, 0.00000381, 0.0008],
      },
      brand: {
        different: [0.274, 1, 0.758],
        equal: [0.726, 0.000203, 0.242],
      },
      email: {
        different: [0.0651, 1, 0.491],
        equal: [0.935, 2.98e-8, 0.509],
      },
      name: {
        brand: [0.104, 0.0000103, 0.0186],
        brandOther: [0.0263, 0.135, 0.0478],
        close: [0.0016, 0.0001, 0.01],
        contained: [0.005, 0.00003, 0.005],
        different: [0.0358, 0.779, 0.427],
        equal: [0.118, 0.0000103, 0.0428],
        lookAlike: [0.036, 0.00001, 0.006],
        oneDiffers: [0.03, 0.00003, 0.06],
        oneMissing: [0.03, 0.00001, 0.006],
        operator: [0.0156, 0.00000343, 0.000626],
        operatorOther: [0.000237, 0.0121, 0.00439],
        otherBranch: [0.0028, 0.00000343, 0.0968],
        otherForm: [0.00000791, 0.00000343, 0.000374],
        otherPlace: [0.000283, 0.00000343, 0.165],
        otherTrade: [0.00211, 0.0000103, 0.13],
        sameSound: [0.07, 0.00001, 0.025],
        short: [0.000457, 0.00000343, 0.00655],
        slips: [0.0024, 0.00001, 0.001],
        spelled: [0.0487, 0.00000343, 0.00889],
        spelledClose: [0.0000229, 0.00000343, 0.00000968],
        spelledOtherwise: [0.0214, 0.0737, 0.0362],
        whole: [0.458, 0.00000343, 0.0109],
      },
      phone: {
        different: [0.29, 1, 0.764],
        equal: [0.203, 5.96e-8, 0.0773],
        equalLater: [0.281, 2.38e-7, 0.129],
        masked: [0.226, 0.0000052, 0.0306],
      },
      region: {
        different: [0.0167, 0.959, 0.306],
        same: [0.684, 0.00148, 0.183],
        sameCity: [0.0407, 0.00462, 0.145],
        sameProvince: [0.01, 0.03, 0.17],
        within: [0.257, 0.00516, 0.197],
      },
      registrationNumber: {
        different: [0.000799, 1, 0.983],
        equal: [0.999, 3.73e-9, 0.0175],
      },
      representative: {
        different: [0.0428, 1, 0.739],
        equal: [0.957, 0.0000272, 0.259],
        oneDiffers: [0.0000199, 0.00000908, 0.000702],
        sameSound: [0.0000202, 0.00000908, 0.001],
      },
      representativeId: {
        different: [0.0176, 0.996, 0.648],
        equal: [0.257, 0.00123, 0.106],
        masked: [0.724, 0.00123, 0.233],
        maskedWeakly: [0.00235, 0.00123, 0.0132],
      },
      residentId: {
        different: [0.00342, 1, 0.964],
        equal: [0.274, 9.31e-10, 0.0227],
        masked: [0.714, 4.77e-7, 0.0129],
        maskedWeakly: [0.00861, 0.0000965, 0.000252],
      },
      uscc: {
        different: [0.005, 1, 1],
        equal: [0.85, 9.31e-10, 0.004],
        repaired: [0.1, 1.49e-8, 0.002],
      },
    },
    person: {
      account: {
        equal: [0.05, 9.54e-7, 0.004],
      },
      address: {
        building: [0.00105, 0.0000204, 0.0000377],
        neighbour: [0.023, 0.042, 0.0401],
        number: [0.0376, 0.0000204, 0.00138],
        otherPlace: [0.132, 0.958, 0.953],
        road: [0.005, 0.0000204, 0.0000383],
        room: [0.789, 0.0000204, 0.00539],
        sameRoad: [0.0124, 0.0000204, 0.0000387],
      },
      bankAccount: {
        different: [0.219, 0.998, 1],
        equal: [0.767, 7.45e-9, 0.0008],
        masked: [0.0134, 0.00000381, 0.0008],
      },
      brand: {
        different: [0.34, 1, 0.5],
        equal: [0.66, 0.00076, 0.5],
      },
      email: {
        different: [0.0655, 1, 0.999],
        equal: [0.934, 2.98e-8, 0.0008],
      },
      name: {
        different: [0.0103, 0.997, 0.961],
        equal: [0.772, 0.00059, 0.0257],
        masked: [0.103, 0.00194, 0.00177],
        oneDiffers: [0.0000197, 0.000201, 0.000112],
        sameSound: [0.0484, 0.00000341, 0.0091],
        spelled: [0.0663, 0.00000341, 0.00215],
      },
      phone: {
        different: [0.24, 0.999, 0.998],
        equal: [0.201, 5.96e-8, 0.000812],
        equalLater: [0.278, 2.38e-7, 0.000822],
        masked: [0.281, 0.00000443, 0.000121],
      },
      region: {
        different: [0.00838, 0.968, 0.943],
        same: [0.63, 0.00326, 0.0105],
        sameCity: [0.0903, 0.000814, 0.00547],
        sameProvince: [0.00132, 0.0231, 0.0304],
        within: [0.27, 0.00527, 0.0104],
      },
      residentId: {
        different: [0.0000576, 0.999, 1],
        equal: [0.169, 9.31e-10, 0.004],
        masked: [0.815, 4.77e-7, 0.004],
        maskedWeakly: [0.0155, 0.00000928, 0.0000169],
      },
    },
  },
};
